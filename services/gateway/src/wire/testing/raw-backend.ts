import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type RawMessage, RawSocket, readMessage } from './raw-socket.ts';

/** What a backend does with a connection. Errors of a connection that goes away are expected. */
export type BackendBehaviour = (connection: RawSocket, backend: RawBackend) => void | Promise<void>;

/** A backend that does exactly what a test tells it to, down to the byte. */
export class RawBackend {
  behaviour: BackendBehaviour;
  readonly connections: RawSocket[] = [];
  readonly requests: RawMessage[] = [];
  /** Connections that are open now. */
  open = 0;
  private readonly accepted: Socket[] = [];
  private readonly server: Server;

  private constructor(behaviour: BackendBehaviour, tls: TlsOptions | undefined) {
    this.behaviour = behaviour;
    const options = { ...tls, noDelay: true, allowHalfOpen: true };
    const serve = (socket: Socket): void => {
      const connection = new RawSocket(socket);
      this.connections.push(connection);
      this.open += 1;
      socket.on('close', () => (this.open -= 1));
      socket.on('end', () => socket.end());
      Promise.resolve(this.behaviour(connection, this)).catch(() => socket.destroy());
    };
    this.server = tls === undefined ? createServer(options, serve) : createTlsServer(options, serve);
    // Also those that never get to speak TLS.
    this.server.on('connection', (socket: Socket) => this.accepted.push(socket));
  }

  static async start(behaviour: BackendBehaviour, port = 0, tls?: TlsOptions): Promise<RawBackend> {
    const backend = new RawBackend(behaviour, tls);
    await new Promise<void>((resolve) => {
      backend.server.listen(port, '127.0.0.1', resolve);
    });
    return backend;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.accepted) socket.destroy();
    if (this.server.listening)
      await new Promise((resolve) => {
        this.server.close(resolve);
      });
  }
}

/** Answers each request on a connection with what `answer` gives: raw bytes, or undefined to hang up. */
export function answering(
  answer: (request: RawMessage, connection: RawSocket) => string | undefined | Promise<string | undefined>,
): BackendBehaviour {
  return async (connection, backend) => {
    for (;;) {
      const request = await readMessage(connection);
      backend.requests.push(request);
      const bytes = await answer(request, connection);
      if (bytes === undefined) {
        connection.socket.destroy();
        return;
      }
      connection.send(bytes);
    }
  };
}

/** A whole response with a length. */
export function ok(body = '', fields = ''): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`;
}
