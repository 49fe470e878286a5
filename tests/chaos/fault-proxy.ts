import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of one connection. */
export interface Fault {
  /** It is reset as soon as it is there. */
  readonly refuse?: boolean;
  /** It is reset when what comes first from the client is like this. */
  readonly resetOn?: (first: Buffer) => boolean;
  /** So late everything comes through, in each direction. */
  readonly delayMs?: number;
  /** After so many bytes to the target, or from it, the connection is over. */
  readonly bytesUpMax?: number;
  readonly bytesDownMax?: number;
  /** How it is over then: by a reset, by an end, or by silence. Default: by a reset. */
  readonly by?: 'reset' | 'end' | 'silence';
}

/** Stands between a client and a server of TCP, and treats each connection as it is told. */
export class FaultProxy {
  readonly #clients = new Set<Socket>();
  readonly #server: Server;
  readonly #port: number;
  readonly #faultOf: (client: Socket) => Fault;

  private constructor(server: Server, targetPort: number, faultOf: (client: Socket) => Fault) {
    this.#server = server;
    this.#port = targetPort;
    this.#faultOf = faultOf;
  }

  static async start(targetPort: number, faultOf: (client: Socket) => Fault): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new FaultProxy(server, targetPort, faultOf);
    server.on('connection', (client) => proxy.#serve(client));
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets all connections that there are. */
  cut(): void {
    for (const client of this.#clients) client.resetAndDestroy();
  }

  stop(): void {
    this.#server.close();
    this.cut();
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    const fault = this.#faultOf(client);
    client.on('error', () => {});
    if (fault.refuse === true) {
      client.resetAndDestroy();
      return;
    }
    const { resetOn } = fault;
    if (resetOn === undefined) {
      this.#join(client, fault);
      return;
    }
    client.once('data', (first: Buffer) => {
      if (resetOn(first)) {
        client.resetAndDestroy();
        return;
      }
      client.pause();
      this.#join(client, fault);
      client.unshift(first);
      client.resume();
    });
  }

  #join(client: Socket, fault: Fault): void {
    const target = connect({ port: this.#port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    target.on('error', () => {});
    pass(client, target, fault, fault.bytesUpMax);
    pass(target, client, fault, fault.bytesDownMax);
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
  }
}

/** Nothing here is so large that it had to wait for a slow reader. */
function pass(from: Socket, to: Socket, { delayMs = 0, by = 'reset' }: Fault, bytesMax = Infinity): void {
  let left = bytesMax;
  const later = (act: () => void): void => {
    if (delayMs > 0) setTimeout(act, delayMs);
    else act();
  };
  from.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    const over = chunk.length >= left;
    if (left <= 0) return;
    left -= part.length;
    later(() => {
      if (!to.destroyed) to.write(part);
      if (over) finish(from, to, by);
    });
  });
  from.on('end', () => later(() => to.end()));
}

function finish(from: Socket, to: Socket, by: NonNullable<Fault['by']>): void {
  if (by === 'silence') return;
  for (const socket of [from, to]) {
    if (by === 'reset') socket.resetAndDestroy();
    else socket.end(() => socket.destroy());
  }
}
