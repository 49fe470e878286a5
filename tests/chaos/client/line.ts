import { connect, type Socket } from 'node:net';

/** Addresses of the loopback network to connect from: each has local ports of its own, and one alone would run short of them. */
const SOURCES = 16;
const HEAD_END = '\r\n\r\n';

/**
 * How a request ended: with a status; `refused`, so that nothing of it was sent; `lost`, the connection closed before the
 * whole answer; `late`, no answer in time.
 */
export type Ending = number | 'refused' | 'lost' | 'late';

let opened = 0;

/** A client connection that stays open between its requests, of which there is one at a time. */
export class Line {
  readonly #socket: Socket;
  #connected = false;
  #received = '';
  #settle: ((ending: Ending) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onClose: () => void = () => {};

  constructor(port: number) {
    const localAddress = `127.0.1.${1 + (opened++ % SOURCES)}`;
    this.#socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('connect', () => {
      this.#connected = true;
    });
    this.#socket.on('data', (text: unknown) => this.#take(String(text)));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#end(this.#connected ? 'lost' : 'refused');
      this.#onClose();
    });
  }

  /** What the last answer consisted of, head and body. */
  get answer(): string {
    return this.#received;
  }

  /** It can take another request, as far as is known. */
  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.readable && this.#socket.writable;
  }

  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  /** Sends a request, whose answer has a length. */
  ask(request: string, limitMs: number): Promise<Ending> {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.#received = '';
    this.#settle = resolve;
    this.#timer = setTimeout(() => {
      this.#end('late');
      this.close();
    }, limitMs);
    if (this.open || this.#socket.connecting) this.#socket.write(request, 'latin1');
    else this.#end('lost');
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
    if (this.#received.length < end + HEAD_END.length + length) return;
    if (/^connection: *close/im.test(head)) this.close();
    this.#end(Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)));
  }

  #end(ending: Ending): void {
    clearTimeout(this.#timer);
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(ending);
  }
}
