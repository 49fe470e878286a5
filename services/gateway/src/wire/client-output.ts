import type { Socket } from 'node:net';
import type { WireCounters } from './counters.ts';

/** Up to this size bytes are copied into the string or write that carries them; above it they are written as they are. */
export const COPY_BYTES_MAX = 8 * 1024;

/** The writing half of a client connection. Knows whether the client keeps up. */
export class ClientOutput {
  /** What was written last still waits for the client; nothing more should be produced for it. */
  blocked = false;
  private readonly socket: Socket;
  private readonly counters: WireCounters;
  private readonly onUnblocked: () => void;

  constructor(socket: Socket, counters: WireCounters, onUnblocked: () => void) {
    this.socket = socket;
    this.counters = counters;
    this.onUnblocked = onUnblocked;
  }

  /** Bytes wait in the write queue. */
  get queued(): boolean {
    return this.socket.writableLength > 0;
  }

  /** Bytes that the kernel has taken for the client. */
  get takenBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  text(text: string): void {
    this.counters.bytesOut += text.length;
    if (!this.socket.write(text, 'latin1')) this.blocked = true;
  }

  /**
   * A head and the bytes behind it, in one write to the kernel. `bytes[start..end)` may change after the call.
   */
  headAndBytes(head: string, bytes: Buffer, start: number, end: number): void {
    if (end === start) {
      this.text(head);
    } else if (end - start <= COPY_BYTES_MAX) {
      this.text(head + bytes.toString('latin1', start, end));
    } else {
      this.socket.cork();
      this.text(head);
      this.bytes(Buffer.from(bytes.subarray(start, end)));
      this.socket.uncork();
    }
  }

  /**
   * A part of a body. `stable`: the bytes stay as they are while `blocked`, so they are not copied; otherwise they may
   * change after the call.
   */
  part(bytes: Buffer, start: number, end: number, stable: boolean): void {
    if (end === start) return;
    if (end - start <= COPY_BYTES_MAX) this.text(bytes.toString('latin1', start, end));
    else if (!stable) this.bytes(Buffer.from(bytes.subarray(start, end)));
    else this.stableBytes(bytes.subarray(start, end));
  }

  /** To be called when the socket's queue has run empty. */
  flushed(): void {
    if (!this.blocked || this.socket.writableLength > 0) return;
    this.blocked = false;
    this.onUnblocked();
  }

  bytes(bytes: Buffer): void {
    this.counters.bytesOut += bytes.length;
    if (!this.socket.write(bytes)) this.blocked = true;
  }

  /** Blocks whenever anything of it has to wait, however little, because its memory is needed again. */
  private stableBytes(bytes: Buffer): void {
    this.counters.bytesOut += bytes.length;
    this.socket.write(bytes, this.onWritten);
    if (this.socket.writableLength > 0) this.blocked = true;
  }

  private readonly onWritten = (): void => this.flushed();
}
