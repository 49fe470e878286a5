import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What a backend got and how it was asked. */
export interface Request {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

/** A backend that speaks HTTP/2 in clear. */
export class Backend {
  readonly requests: Request[] = [];
  readonly sessions = new Set<ServerHttp2Session>();
  /** All there ever were. */
  sessionsSeen = 0;
  /** Codes of streams that were reset. */
  readonly resets: number[] = [];
  /** Those of requests, names and values in turn. */
  readonly trailers: string[][] = [];
  readonly #server: Http2Server;

  private constructor(handle: (request: Request) => void, options: ServerOptions) {
    this.#server = createServer(options);
    this.#server.on('session', (session) => {
      this.sessionsSeen += 1;
      this.sessions.add(session);
      session.on('error', () => {});
      session.on('close', () => this.sessions.delete(session));
    });
    this.#server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => {});
      stream.on('trailers', (_headers, _flags, raw) => this.trailers.push([...raw]));
      stream.on('close', () => {
        if (stream.rstCode !== 0) this.resets.push(stream.rstCode ?? 0);
      });
      this.requests.push({ stream, headers });
      handle({ stream, headers });
    });
  }

  static async start(handle: (request: Request) => void, options: ServerOptions = {}): Promise<Backend> {
    const backend = new Backend(handle, options);
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The whole body of a request. */
export async function bodyOf(stream: ServerHttp2Stream): Promise<string> {
  let body = '';
  for await (const chunk of stream) body += String(chunk);
  return body;
}
