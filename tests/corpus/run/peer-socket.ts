import { connect, type Socket } from 'node:net';
import { type WireMessage, WireReader } from './wire-reader.ts';

/** One end of a TCP connection to the gateway, and what it understood. */
export class PeerSocket {
  readonly socket: Socket;
  readonly reader: WireReader;
  /** How the other end stopped sending. */
  ended: 'no' | 'orderly' | 'reset' = 'no';
  onChange: (() => void) | undefined;

  constructor(socket: Socket, kind: 'request' | 'response', onMessage?: (message: WireMessage) => void) {
    this.socket = socket;
    this.reader = new WireReader(kind, onMessage);
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.reader.push(text);
      this.onChange?.();
    });
    socket.on('end', () => this.finish('orderly'));
    socket.on('error', () => this.finish('reset'));
    socket.on('close', () => this.finish('reset'));
  }

  static to(port: number): PeerSocket {
    return new PeerSocket(connect({ port, host: '127.0.0.1', allowHalfOpen: true }), 'response');
  }

  send(text: string): void {
    if (text !== '' && this.socket.writable) this.socket.write(text, 'latin1');
  }

  /** Leaves at once; resetting the connection keeps the kernel from remembering its address. */
  drop(): void {
    this.socket.resetAndDestroy();
  }

  private finish(how: 'orderly' | 'reset'): void {
    if (this.ended !== 'no') return;
    this.ended = how;
    if (how === 'orderly') this.reader.end();
    this.onChange?.();
  }
}
