import { connect, type Socket } from 'node:net';

/** Addresses of the loopback network to connect from: each has local ports of its own, and one alone would run short of them. */
const SOURCES = 16;
const HEAD_END = '\r\n\r\n';

/** A client connection that stays open between its requests. Holds as little as it can, because there are thousands. */
export class KeptConnection {
  readonly #socket: Socket;
  #received = '';
  #onChange: () => void = () => {};

  /** `place`: which one it is of many. */
  constructor(port: number, place: number) {
    this.#socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.1.${1 + (place % SOURCES)}` });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: unknown) => {
      this.#received += String(text);
      this.#onChange();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#onChange());
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.readable;
  }

  /** Sends a request and waits for the answer to it, which has a length; true if that is 200. */
  async ask(path: string): Promise<boolean> {
    this.#received = '';
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: soak\r\n\r\n`);
    await new Promise<void>((resolve) => {
      this.#onChange = () => {
        if (!this.open || complete(this.#received)) resolve();
      };
      this.#onChange();
    });
    this.#onChange = () => {};
    const good = this.#received.startsWith('HTTP/1.1 200 ') && complete(this.#received);
    this.#received = '';
    return good;
  }

  close(): void {
    this.#socket.destroy();
  }
}

function complete(text: string): boolean {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return false;
  const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1]);
  return text.length >= end + HEAD_END.length + length;
}
