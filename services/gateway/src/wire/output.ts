import type { Socket } from 'node:net';
import type { Lifetime } from './read-buffers.ts';
import type { RequestOutput } from './upstream.ts';

/**
 * Up to this size bytes travel as a string, together with the head if there is one: cheaper than the bookkeeping of a
 * write of several pieces. Above it the strings would drive everything else out of the processor's caches.
 */
const COPY_BYTES_MAX = 4 * 1024;

/** Counts what is written. */
export interface OutputTally {
  bytesOut: number;
}

/** The writing half of a connection. Knows whether the other end keeps up. */
export class Output implements RequestOutput {
  /** What was written last still waits; nothing more should be produced for it. */
  blocked = false;
  readonly refusable = false;
  private readonly socket: Socket;
  private readonly tally: OutputTally;
  private readonly onUnblocked: () => void;

  constructor(socket: Socket, tally: OutputTally, onUnblocked: () => void) {
    this.socket = socket;
    this.tally = tally;
    this.onUnblocked = onUnblocked;
    socket.on('drain', this.onFlushed);
  }

  /** Bytes wait in the write queue. */
  get queued(): boolean {
    return this.socket.writableLength > 0;
  }

  /** Bytes that the kernel has taken. */
  get takenBytes(): number {
    return this.socket.bytesWritten - this.socket.writableLength;
  }

  text(text: string): void {
    this.tally.bytesOut += text.length;
    if (!this.socket.write(text, 'latin1')) this.blocked = true;
  }

  /** A head and the part of the body behind it, in one write to the kernel. */
  headAndPart(head: string, bytes: Buffer, start: number, end: number, lifetime: Lifetime): void {
    if (end - start <= COPY_BYTES_MAX) {
      this.text(end === start ? head : head + bytes.toString('latin1', start, end));
      return;
    }
    this.socket.cork();
    this.text(head);
    this.part(bytes, start, end, lifetime);
    this.uncork(lifetime);
  }

  /** A head and pieces that stay as they are, in one write to the kernel. */
  headAndPieces(head: string, pieces: readonly Buffer[], length: number): void {
    if (length <= COPY_BYTES_MAX) {
      this.text(pieces.reduce((text, piece) => text + piece.toString('latin1'), head));
      return;
    }
    this.socket.cork();
    this.text(head);
    for (const piece of pieces) this.bytes(piece);
    this.uncork('ever');
  }

  /** A part of a body. */
  part(bytes: Buffer, start: number, end: number, lifetime: Lifetime): void {
    if (end === start) return;
    if (lifetime === 'ever') this.bytes(bytes.subarray(start, end));
    else if (end - start <= COPY_BYTES_MAX) this.text(bytes.toString('latin1', start, end));
    else if (lifetime === 'call') this.bytes(Buffer.from(bytes.subarray(start, end)));
    else this.borrowed(bytes.subarray(start, end));
  }

  /** Bytes that nobody else has or changes. */
  bytes(bytes: Buffer): void {
    this.tally.bytesOut += bytes.length;
    if (!this.socket.write(bytes)) this.blocked = true;
  }

  detach(): void {
    this.socket.off('drain', this.onFlushed);
  }

  /** What was written meanwhile goes to the kernel; only now it is known whether any of it has to wait. */
  private uncork(lifetime: Lifetime): void {
    this.socket.uncork();
    this.blocked = lifetime === 'paused' ? this.queued : this.socket.writableNeedDrain;
  }

  /** Blocks whenever anything of it has to wait, however little, because its memory is needed again. */
  private borrowed(bytes: Buffer): void {
    this.tally.bytesOut += bytes.length;
    this.socket.write(bytes, this.onFlushed);
    if (this.socket.writableLength > 0) this.blocked = true;
  }

  private readonly onFlushed = (): void => {
    if (!this.blocked || this.socket.writableLength > 0) return;
    this.blocked = false;
    this.onUnblocked();
  };
}
