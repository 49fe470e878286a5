import { createServer, type Server } from 'node:net';
import { PeerSocket } from './peer-socket.ts';
import { type Beginning, valuesOf, type WireMessage } from './wire-reader.ts';

/** What a backend does with a request, besides recording it. */
export type Answer = (request: WireMessage, connection: PeerSocket) => void;

/** What reached a backend. */
export interface Records {
  readonly requests: Map<string, WireMessage>;
  readonly repeated: readonly string[];
  readonly faults: readonly string[];
  readonly beginnings: readonly Beginning[];
}

/** A backend that records what reached it, by the request id that the gateway gave. */
export class RecordingBackend {
  readonly requests = new Map<string, WireMessage>();
  /** Lines of requests that came more than once under the same id. */
  readonly repeated: string[] = [];
  /** What was wrong with what reached it, whichever request it belonged to. */
  readonly faults: string[] = [];
  /** What had begun and not ended when its connection went away. */
  readonly beginnings: Beginning[] = [];
  answer: Answer;
  private readonly server: Server;
  private readonly connections = new Set<PeerSocket>();

  constructor(answer: Answer) {
    this.answer = answer;
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new PeerSocket(socket, 'request', (request) => this.record(request, connection));
      this.connections.add(connection);
      socket.on('end', () => socket.end());
      socket.on('close', () => this.forget(connection));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the backend has no address');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    for (const connection of this.connections) connection.drop();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  /** Everything recorded since the last call, and starts anew. */
  takeRecords(): Records {
    const taken = {
      requests: new Map(this.requests),
      repeated: this.repeated.splice(0),
      faults: this.faults.splice(0),
      beginnings: this.beginnings.splice(0),
    };
    this.requests.clear();
    return taken;
  }

  private record(request: WireMessage, connection: PeerSocket): void {
    const ids = valuesOf(request.fields, 'x-request-id');
    const id = ids[0] ?? '';
    if (ids.length !== 1) this.faults.push(`${ids.length} request ids: ${request.line}`);
    if (this.requests.has(id)) this.repeated.push(request.line);
    this.requests.set(id, request);
    this.answer(request, connection);
  }

  private forget(connection: PeerSocket): void {
    this.connections.delete(connection);
    const { fault, beginning } = connection.reader;
    if (fault !== undefined) this.faults.push(fault);
    else if (beginning !== undefined) this.beginnings.push(beginning);
  }
}
