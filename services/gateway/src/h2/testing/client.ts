import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { until } from '../../wire/testing/raw-socket.ts';

/** Certificates are the tests' own, and some send a field twice of which there can be one. */
const LENIENT = { rejectUnauthorized: false, strictSingleValueFields: false };

/** One request of a test, and everything that came back for it so far. */
export class Asked {
  readonly stream: ClientHttp2Stream;
  headers: IncomingHttpHeaders = {};
  /** The head was the end. */
  bare = false;
  readonly informational: number[] = [];
  trailers: IncomingHttpHeaders | undefined;
  body = '';
  ended = false;
  closed = false;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('headers', (headers) => this.informational.push(Number(headers[':status'])));
    stream.on('response', (headers, flags) => {
      this.headers = headers;
      this.bare = (flags & 1) !== 0;
    });
    stream.on('trailers', (trailers) => {
      this.trailers = trailers;
    });
    stream.on('data', (data: Buffer) => {
      this.body += data.toString('latin1');
    });
    stream.on('end', () => {
      this.ended = true;
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      this.closed = true;
    });
  }

  get status(): number {
    return Number(this.headers[':status'] ?? 0);
  }

  /** Why the stream was reset; 0 if it was not. */
  get code(): number {
    return this.stream.rstCode ?? 0;
  }

  /** Everything has come, or the stream broke. */
  async over(): Promise<this> {
    await until(() => this.closed || this.ended, 'the answer is over');
    return this;
  }
}

/** A client of HTTP/2, with one session. */
export class Client {
  readonly session: ClientHttp2Session;
  goaway: number | undefined;

  constructor(url: string, options?: ClientSessionOptions | SecureClientSessionOptions) {
    this.session = connect(url, { ...LENIENT, ...options });
    this.session.on('error', () => {});
    this.session.on('goaway', (code) => {
      this.goaway = code;
    });
  }

  async connected(): Promise<this> {
    if (this.session.connecting) await once(this.session, 'connect');
    return this;
  }

  /** Begins a request; the body is left open when `body` is undefined. */
  begin(headers: OutgoingHttpHeaders, body?: string): Asked {
    const stream = this.session.request({ ':authority': 'any', ...headers }, { endStream: body === '' });
    if (body !== undefined && body !== '') stream.end(body);
    return new Asked(stream);
  }

  async ask(headers: OutgoingHttpHeaders | string, body = ''): Promise<Asked> {
    return await this.begin(typeof headers === 'string' ? { ':path': headers } : headers, body).over();
  }

  close(): void {
    this.session.destroy();
  }
}
