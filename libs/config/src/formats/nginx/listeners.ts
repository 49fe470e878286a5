import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import type { Door } from '../exposure.ts';
import { ListenerList } from '../listener-list.ts';
import type { Remarks } from '../remarks.ts';
import type { Directive, Word } from './directives.ts';
import { inForce, type Scopes, wordOf } from './scopes.ts';

const PROTOCOLS_OLD = new Set(['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1']);
/** What a listener has that changes nothing for its clients, or that is Usher's own doing. */
const NEEDLESS =
  /^(default_server|default|http2|reuseport|deferred|bind|backlog=.*|rcvbuf=.*|sndbuf=.*|ipv6only=.*|so_keepalive=.*|fastopen=.*|ssl|proxy_protocol)$/;

/** With TLS, without it, or either. */
export type Transport = 'tls' | 'plain' | 'both';

/** Collects the addresses of servers. */
export class Listeners {
  readonly #http: readonly Directive[];
  readonly #remarks: Remarks;
  readonly #list: ListenerList;

  constructor(http: readonly Directive[], remarks: Remarks) {
    this.#http = http;
    this.#remarks = remarks;
    this.#list = new ListenerList(remarks);
  }

  /** Adds those of a server. */
  add(server: Directive): void {
    const block = server.block ?? [];
    for (const args of wordsOf(server)) this.#addOne(args, [block, this.#http]);
  }

  /** Where clients come to a server, and what makes sure of the certificates that they have to show. */
  doorsOf(server: Directive): readonly Door[] {
    const scopes = [server.block ?? [], this.#http];
    const isAsked = wordOf('ssl_verify_client', scopes)?.text === 'on';
    const ca = isAsked ? (wordOf('ssl_client_certificate', scopes)?.text ?? '') : undefined;
    return wordsOf(server).map(([address, ...options]) => ({
      host: addressOf(address?.text ?? '')?.host,
      clientCa: isSecure(options, scopes) ? ca : undefined,
    }));
  }

  list(): Input | undefined {
    return this.#list.list();
  }

  /** How clients come to a server. */
  transportOf({ block = [] }: Directive): Transport {
    const listens = block.filter(({ name }) => name === 'listen');
    const secure = listens.filter(({ args }) => isSecure(args, [block, this.#http]));
    if (secure.length === 0) return 'plain';
    return secure.length === listens.length ? 'tls' : 'both';
  }

  #addOne([address, ...options]: readonly Word[], scopes: Scopes): void {
    if (address === undefined) return;
    const parsed = addressOf(address.text);
    if (parsed === undefined) {
      this.#remarks.lost('listen', address.at, 'listeners have an address and a port');
      return;
    }
    const texts = new Set(options.map(({ text }) => text));
    for (const { text, at } of options)
      if (!NEEDLESS.test(text)) this.#remarks.lost('listen', at, `${text} is not known`);
    const secure = isSecure(options, scopes);
    this.#list.add({
      ...parsed,
      at: address.at,
      proxyProtocol: texts.has('proxy_protocol'),
      http2: wordOf('http2', scopes)?.text !== 'off',
      tls: secure ? this.#tls(scopes, address.at) : undefined,
    });
  }

  #tls(scopes: Scopes, at: Place) {
    const [certs, keys] = [inForce('ssl_certificate', scopes), inForce('ssl_certificate_key', scopes)];
    const certificates = certs.flatMap(({ args }, index) => {
      const [cert, key] = [args[0], keys[index]?.args[0]];
      return cert === undefined || key === undefined ? [] : [{ cert: cert.text, key: key.text, at: cert.at }];
    });
    if (certificates.length === 0) {
      this.#remarks.fault('ssl_certificate', at, 'TLS needs ssl_certificate and ssl_certificate_key');
      certificates.push({ cert: '.', key: '.', at });
    }
    const [protocols] = inForce('ssl_protocols', scopes);
    const versions = protocols?.args.map(({ text }) => text) ?? [];
    if (protocols !== undefined && versions.some((version) => PROTOCOLS_OLD.has(version)))
      this.#remarks.changed('ssl_protocols', protocols.at, 'TLS 1.2 is the oldest that is spoken');
    const [ciphers, ca, verify] = [
      wordOf('ssl_ciphers', scopes),
      wordOf('ssl_client_certificate', scopes),
      wordOf('ssl_verify_client', scopes),
    ];
    const asked = verify !== undefined && verify.text !== 'off';
    return {
      certificates,
      minVersion:
        versions.length > 0 && versions.every((version) => version === 'TLSv1.3') ? '1.3' : undefined,
      ciphers,
      clientCa: asked ? ca : undefined,
      clientAuth: asked ? { text: verify.text === 'on' ? 'required' : 'optional', at: verify.at } : undefined,
    };
  }
}

/** What a server says of each of its addresses. */
function wordsOf({ block = [], at }: Directive): readonly (readonly Word[])[] {
  const listens = block.filter(({ name }) => name === 'listen');
  return listens.length === 0 ? [[{ text: '80', at }]] : listens.map(({ args }) => args);
}

/** Undefined when it has no port, as sockets of files have none. */
function addressOf(text: string): { readonly host: string; readonly port: number } | undefined {
  if (/^[0-9]{1,5}$/.test(text)) return { host: '0.0.0.0', port: Number(text) };
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, host = '', port = '80'] = match;
  return { host: host === '*' ? '0.0.0.0' : host, port: Number(port) };
}

function isSecure(words: readonly Word[], scopes: Scopes): boolean {
  return words.some(({ text }) => text === 'ssl') || wordOf('ssl', scopes)?.text === 'on';
}
