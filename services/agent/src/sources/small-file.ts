import { closeSync, openSync, readSync } from 'node:fs';

const BUFFER_BYTES = 4_096;

/** A file of the kernel's that is read again and again: opened once, read into one buffer from the start each time. */
export class SmallFile {
  readonly #fd: number;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);

  /** Throws what the file system says when it cannot be opened. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** Undefined when there is no such file. */
  static ifPresent(path: string): SmallFile | undefined {
    try {
      return new SmallFile(path);
    } catch {
      return undefined;
    }
  }

  read(): string {
    for (;;) {
      const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, 0);
      if (length < this.#buffer.length) return this.#buffer.toString('latin1', 0, length);
      this.#buffer = Buffer.allocUnsafe(this.#buffer.length * 2);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
