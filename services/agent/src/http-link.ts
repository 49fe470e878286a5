import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** How long the server may say nothing while it owes an answer. */
const SILENCE_MS_MAX = 5_000;
const ANSWER_CHARS_MAX = 65_536;

export interface HttpTarget {
  readonly url: string;
  readonly token?: string | undefined;
  /** Whose certificates are trusted, PEM. Default: the authorities that Node knows. */
  readonly ca?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

interface Waiting {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to an HTTP/1.1 server (RFC 9112) that is kept between requests, of which there is one at a time. A
 * report a second through Node's own client costs more than all else that the agent does; this is a tenth of it.
 */
export class HttpLink {
  readonly #url: URL;
  readonly #head: string;
  readonly #ca: string | undefined;
  #socket: Socket | undefined;
  #received = '';
  #waiting: Waiting | undefined;

  /** Throws when the URL is not one of HTTP or the token cannot be part of a header. */
  constructor({ url, token, ca }: HttpTarget) {
    this.#url = new URL(url);
    this.#ca = ca;
    if (!/^https?:$/.test(this.#url.protocol)) throw new Error(`${url} is not an http or https URL`);
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw new Error('the token has blanks in it');
    const authorization = token === undefined ? '' : `authorization: Bearer ${token}\r\n`;
    this.#head = `host: ${this.#url.host}\r\nuser-agent: usher-agent\r\n${authorization}`;
  }

  /** `body` is JSON text; absent = none. Rejects with what broke the connection. */
  request(method: string, path: string, body = ''): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const length = Buffer.byteLength(body);
    const content = length === 0 ? '' : `content-type: application/json\r\ncontent-length: ${length}\r\n`;
    this.#waiting = { resolve, reject };
    this.#received = '';
    this.#socket ??= this.#open();
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#head}${content}\r\n${body}`);
    return promise;
  }

  /** Ends the connection; a request under way rejects. */
  close(): void {
    this.#fail(new Error('the agent is stopping'));
  }

  #open(): Socket {
    const { protocol, port, hostname } = this.#url;
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const socket =
      protocol === 'https:'
        ? connectTls({ host, port: Number(port || 443), ...this.#trust(host) })
        : connect({ host, port: Number(port || 80) });
    socket.setNoDelay(true).setTimeout(SILENCE_MS_MAX).setEncoding('latin1');
    const own = (handle: (error: Error) => void) => (error: Error) => {
      if (this.#socket === socket) handle(error);
    };
    const failed = own((error) => this.#fail(error));
    socket.on('data', (text: string) => {
      if (this.#socket === socket) this.#take(text);
    });
    socket.on('error', failed);
    socket.on('close', () => failed(new Error(`${this.#url.origin} closed the connection`)));
    socket.on('timeout', () => failed(new Error(`no answer within ${SILENCE_MS_MAX} ms`)));
    return socket;
  }

  /** An address is no name to ask for (RFC 6066 section 3). */
  #trust(host: string): ConnectionOptions {
    return {
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    };
  }

  #fail(error: Error): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#settle()?.reject(error);
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #take(text: string): void {
    this.#received += text;
    if (this.#waiting === undefined) return this.#fail(new Error('an answer to nothing'));
    if (this.#received.length > ANSWER_CHARS_MAX) return this.#fail(new Error('the answer is too long'));
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const body = this.#received.slice(headEnd + 4);
    const status = Number(/^HTTP\/1\.1 (\d{3})(?= |$|\r)/.exec(head)?.[1]);
    if (Number.isNaN(status)) return this.#fail(new Error(`${this.#url.origin} does not speak HTTP/1.1`));
    if (status < 200) return this.#takeFinal(body);
    const whole = status === 204 ? '' : contentOf(head, body);
    if (whole === undefined) return;
    const ends = status === 204 ? body !== '' : !/^content-length:/im.test(head);
    const waiting = this.#settle();
    if (ends || /^connection: *close *$/im.test(head)) this.#fail(new Error('the answer has ended'));
    waiting?.resolve({ status, body: whole });
  }

  /** After an interim answer comes another (RFC 9110 section 15.2). */
  #takeFinal(rest: string): void {
    this.#received = '';
    if (rest !== '') this.#take(rest);
  }
}

/**
 * The content of an answer (RFC 9112 section 6.3), undefined while there is more to come. Empty when it would end with
 * the connection: our server says what it has to say in one of the other ways.
 */
function contentOf(head: string, body: string): string | undefined {
  const length = Number(/^content-length: *(\d+) *$/im.exec(head)?.[1]);
  if (body.length < length) return undefined;
  if (!Number.isNaN(length)) return body.slice(0, length);
  return /^transfer-encoding: *chunked *$/im.test(head) ? fromChunks(body) : '';
}

/** Undefined before the last chunk (RFC 9112 section 7.1). */
function fromChunks(body: string): string | undefined {
  let content = '';
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, lineEnd), 16);
    if (lineEnd < 0 || lineEnd + 2 + size > body.length) return undefined;
    if (!(size > 0)) return content;
    content += body.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
