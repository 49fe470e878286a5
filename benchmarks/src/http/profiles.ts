/** A kind of traffic: what the client sends and what the backend answers. */
export interface Profile {
  readonly title: string;
  readonly path: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** In addition to what the backend sets by itself: Server, Date, Content-Type, Content-Length, Connection. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly body: string;
  /** Clients speak TLS with the proxy, which speaks plain HTTP with the backends. */
  readonly tls?: boolean;
  /** What a client sends before its first request. */
  readonly preamble?: string;
}

/** Hex digits that look like a token and are the same in every run. */
const token = (length: number) => '0123456789abcdef'.repeat(Math.ceil(length / 16)).slice(0, length);

const SESSION_COOKIES = [
  `session=${token(64)}`,
  `csrf=${token(32)}`,
  'theme=dark',
  'locale=en-GB',
  `visitor=${token(40)}`,
  'consent=analytics.no+ads.no',
].join('; ');

const SMALL = {
  path: '/small',
  requestHeaders: { accept: '*/*' },
  responseHeaders: {},
  body: `{"ok":true,"message":"${'x'.repeat(76)}"}`,
};

export const PROFILES = {
  small: { title: 'small: GET with 2 headers, response of about 100 bytes of body', ...SMALL },
  tls: {
    title: 'tls: the same over TLS 1.3 with AES-128-GCM and a certificate on P-256',
    ...SMALL,
    tls: true,
  },
  browser: {
    title: 'browser: GET with 15 headers (about 800 bytes) and cookies, response of 2 KB with 11 headers',
    path: '/shop/articles/1842?ref=front&utm_source=newsletter',
    requestHeaders: {
      'user-agent':
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
      accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
      'accept-language': 'en-GB,en;q=0.9,de;q=0.7',
      'accept-encoding': 'gzip, deflate, br, zstd',
      'cache-control': 'max-age=0',
      cookie: SESSION_COOKIES,
      'if-none-match': `W/"${token(20)}"`,
      referer: 'https://shop.example.com/articles?page=3',
      'sec-ch-ua': '"Chromium";v="142", "Not_A Brand";v="99"',
      'sec-fetch-dest': 'document',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      'upgrade-insecure-requests': '1',
      dnt: '1',
    },
    responseHeaders: {
      'Cache-Control': 'private, max-age=0, must-revalidate',
      'Content-Language': 'en-GB',
      ETag: `W/"${token(20)}"`,
      Vary: 'Accept-Encoding, Cookie',
      'Set-Cookie': `session=${token(64)}; Path=/; HttpOnly; Secure; SameSite=Lax`,
      'X-Content-Type-Options': 'nosniff',
    },
    body: `<!doctype html><title>Article</title><p>${'Lorem ipsum dolor sit amet. '.repeat(72)}</p>`,
  },
  large: {
    title: 'large: GET with 2 headers, response of 1 MiB; one request is one MiB',
    path: '/large',
    requestHeaders: { accept: '*/*' },
    responseHeaders: {},
    body: 'x'.repeat(2 ** 20),
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;
