import { closeSync, openSync, readSync } from 'node:fs';

const BUFFER_BYTES = 4_096;
/** A file that is missing is not looked for at every reading. */
const READS_BETWEEN_LOOKS = 10;

/** A file of the kernel's that is read again and again: opened once, read into one buffer from the start each time. */
export class SmallFile {
  readonly #fd: number;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);

  /** Throws what the file system says when it cannot be opened. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** Throws when the file is there no more. */
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

/** The same for a file that may be missing, or go and come again as those of a container's group do. */
export class OptionalFile {
  readonly #path: string;
  #file: SmallFile | undefined;
  #readsUntilLook = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty while there is no such file. */
  read(): string {
    if (this.#file === undefined && this.#readsUntilLook > 0) {
      this.#readsUntilLook -= 1;
      return '';
    }
    try {
      this.#file ??= new SmallFile(this.#path);
      return this.#file.read();
    } catch {
      this.close();
      this.#readsUntilLook = READS_BETWEEN_LOOKS;
      return '';
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
