import { connect, type Socket } from 'node:net';
import type { Lane } from './lanes.ts';

/** How often an event comes and a message goes. */
export const EVERY_MS = 1000;
/** So many messages without an answer, one a second, are more than a busy machine explains. */
const OUTSTANDING_MAX = 10;
const MESSAGE_HEAD_BYTES = 2;
const CLOSE_FRAME = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);

/** A client that stays: it knows what has to come next, and whether anything else did. */
export abstract class StreamClient {
  /** What was wrong, if anything was; leaving is not. */
  fault: string | undefined;
  /** What came in order. */
  received = 0;
  protected readonly socket: Socket;
  protected text = '';
  private leaving = false;
  private readonly over: Promise<void>;

  constructor(socket: Socket, request: string) {
    this.socket = socket;
    socket.setNoDelay(true);
    this.over = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('error', (error) => this.complain(error.message));
    this.socket.on('end', () => this.complain('it ended'));
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.take();
    });
    this.socket.write(request);
  }

  /** Leaves, in good order or all at once, and resolves when the connection is gone. */
  async leave(how: 'orderly' | 'reset'): Promise<void> {
    this.leaving = true;
    if (how === 'reset') this.socket.resetAndDestroy();
    else this.sayGoodbye();
    await this.over;
  }

  /** Does what is due now. */
  abstract tick(): void;
  protected abstract take(): void;
  protected abstract sayGoodbye(): void;

  protected expect(found: string): void {
    if (found === String(this.received)) this.received += 1;
    else this.complain(`${found} came for ${this.received}`);
  }

  protected complain(what: string): void {
    if (!this.leaving) this.fault ??= what;
  }
}

export class EventClient extends StreamClient {
  constructor(port: number, lane: Lane) {
    super(connect(port, '127.0.0.1'), `GET /${lane}/events?every=${EVERY_MS} HTTP/1.1\r\nHost: soak\r\n\r\n`);
  }

  tick(): void {}

  protected take(): void {
    if (!this.text.startsWith('HTTP/1.1 200 ') && this.received === 0) this.complain(this.text.slice(0, 40));
    const events = this.text.split('\n\n');
    this.text = events.pop() ?? '';
    for (const event of events) this.expect(/data: (\d+)$/.exec(event)?.[1] ?? event);
  }

  protected sayGoodbye(): void {
    this.socket.destroy();
  }
}

export class EchoClient extends StreamClient {
  private sent = 0;
  private open = false;

  constructor(port: number, lane: Lane, socket = connect(port, '127.0.0.1')) {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    super(socket, `GET /${lane}/echo HTTP/1.1\r\nHost: soak\r\n${upgrade}\r\n${key}\r\n\r\n`);
  }

  tick(): void {
    if (!this.open) return;
    if (this.sent > this.received + OUTSTANDING_MAX) this.complain(`no answer to ${this.received}`);
    const payload = Buffer.from(String(this.sent++));
    // Masked with zeros, which leaves it as it is.
    this.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  protected take(): void {
    if (!this.open) {
      const end = this.text.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.text.startsWith('HTTP/1.1 101 ')) this.complain(this.text.slice(0, 40));
      this.text = this.text.slice(end + 4);
      this.open = true;
      this.tick();
    }
    for (let size = this.size(); size <= this.text.length; size = this.size()) {
      if (this.text.charCodeAt(0) === 0x81) this.expect(this.text.slice(MESSAGE_HEAD_BYTES, size));
      this.text = this.text.slice(size);
    }
  }

  protected sayGoodbye(): void {
    this.socket.end(CLOSE_FRAME);
  }

  private size(): number {
    return this.text.length < MESSAGE_HEAD_BYTES ? Infinity : MESSAGE_HEAD_BYTES + this.text.charCodeAt(1);
  }
}
