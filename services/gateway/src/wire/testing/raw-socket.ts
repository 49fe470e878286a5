import { connect, type Socket } from 'node:net';

/** Resolves as soon as `condition` holds; rejects with `what` when it does not within the time of a test. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < 2000; round++) {
    if (condition()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, round < 100 ? 1 : 5);
    });
  }
  throw new Error(`never happened: ${what}`);
}

/** Resolves once `read` has given the same number, not 0, for a good while: whatever moved has come to rest. */
export async function untilStill(read: () => number): Promise<void> {
  let last = 0;
  let same = 0;
  await until(() => {
    const now = read();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
    return same > 40;
  }, 'standstill');
}

/** One end of a TCP connection that remembers everything it got. */
export class RawSocket {
  readonly socket: Socket;
  /** All bytes received and not taken yet, as latin1. */
  text = '';
  received = 0;
  /** The other end has sent its last byte. */
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.received += chunk.length;
    });
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error) => (this.error = error));
    socket.on('close', () => (this.closed = true));
  }

  static to(port: number, options: { allowHalfOpen?: boolean } = {}): RawSocket {
    return new RawSocket(connect({ port, host: '127.0.0.1', noDelay: true, ...options }));
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Sends byte by byte, each in a segment of its own as far as the kernel lets it. */
  async sendSlowly(text: string, step = 1): Promise<void> {
    for (let at = 0; at < text.length; at += step) {
      this.send(text.slice(at, at + step));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  /** Takes everything up to and including `marker`. */
  async takeThrough(marker: string): Promise<string> {
    await until(() => this.text.includes(marker) || this.closed, `${JSON.stringify(marker)} received`);
    const at = this.text.indexOf(marker);
    if (at < 0) throw new Error(`closed after ${JSON.stringify(this.text)}`);
    return this.takeBytes(at + marker.length);
  }

  async take(count: number): Promise<string> {
    await until(() => this.text.length >= count || this.closed, `${count} bytes received`);
    if (this.text.length < count) throw new Error(`closed after ${JSON.stringify(this.text)}`);
    return this.takeBytes(count);
  }

  async untilClosed(): Promise<void> {
    await until(() => this.closed, 'connection closed');
  }

  private takeBytes(count: number): string {
    const taken = this.text.slice(0, count);
    this.text = this.text.slice(count);
    return taken;
  }
}

/** A message with its body in plain form. */
export interface RawMessage {
  readonly firstLine: string;
  /** By lower-case name; repeated fields joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The head as it was on the wire. */
  readonly head: string;
}

/** Reads one message. `bodiless`: it ends with its head whatever that says. */
export async function readMessage(socket: RawSocket, bodiless = false): Promise<RawMessage> {
  const head = await socket.takeThrough('\r\n\r\n');
  const [firstLine = '', ...lines] = head.slice(0, -4).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const body = bodiless ? '' : await readBody(socket, headers, firstLine);
  return { firstLine, headers, body, head };
}

async function readBody(
  socket: RawSocket,
  headers: Readonly<Record<string, string>>,
  firstLine: string,
): Promise<string> {
  const length = headers['content-length'];
  if (length !== undefined) return socket.take(Number(length));
  if (headers['transfer-encoding'] === 'chunked') return readChunks(socket);
  const endsWithConnection = firstLine.startsWith('HTTP/') && !/ (1\d\d|204|304) /.test(`${firstLine} `);
  if (!endsWithConnection) return '';
  await until(() => socket.ended || socket.closed, 'end of connection');
  if (socket.error !== undefined) throw socket.error;
  return socket.take(socket.text.length);
}

async function readChunks(socket: RawSocket): Promise<string> {
  let body = '';
  for (;;) {
    const line = await socket.takeThrough('\r\n');
    const size = Number.parseInt(line, 16);
    if (size === 0) break;
    body += await socket.take(size);
    await socket.take(2);
  }
  while ((await socket.takeThrough('\r\n')) !== '\r\n');
  return body;
}

export function statusOf(message: RawMessage): number {
  return Number(message.firstLine.split(' ')[1]);
}
