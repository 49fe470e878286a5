import { BYTE, CHAR, CLASS_OF, hexValue } from './chars.ts';
import { type ExtensionState, nextExtensionState } from './chunk-extension.ts';
import { FAULTS, type HttpFault } from './faults.ts';
import { FIELD, fieldIdOf } from './field-names.ts';
import { FAULTY } from './field-table.ts';

/** 13 hexadecimal digits are 2^52, below the largest exact integer. */
const SIZE_DIGITS_MAX = 13;
/** Per chunk; more is nothing but a way to make a proxy work. */
const EXTENSION_BYTES_MAX = 256;
const TRAILER_BYTES_MAX = 8 * 1024;
/** No name that is looked for is as long. */
const NAME_BYTES_MAX = 32;

/**
 * Trailer fields pass, but for those that frame, route or authenticate a message or speak for its sender: whoever merges
 * them into its head would read another message than the one that was judged (RFC 9110 section 6.5.1).
 */
const TRAILERS_ALLOWED = (1 << FIELD.other) | (1 << FIELD.xRequestId);

type State =
  | 'size'
  | 'extension'
  | 'sizeLf'
  | 'data'
  | 'dataCr'
  | 'dataLf'
  | 'trailerStart'
  | 'trailerName'
  | 'trailerValue'
  | 'trailerLf'
  | 'endLf'
  | 'done';

/** Called with each piece of payload that a scan passes. */
export type PayloadSink = (bytes: Uint8Array, start: number, end: number) => void;

/**
 * Finds the end of a chunked body (RFC 9112 section 7.1) in bytes that pass through unchanged, split anywhere, and
 * validates every byte of its framing. Payload is skipped, not looked at.
 */
export class ChunkedScanner {
  /** Payload so far, without framing. A chunk counts as soon as its size is known. */
  payloadBytes = 0;
  fault: HttpFault = FAULTS.chunkSize;
  /** The trailer section so far, if there is a sink: lines that end in LF alone. */
  trailers = '';
  private state: State = 'size';
  private digits = 0;
  private left = 0;
  private extension: ExtensionState = 'gap';
  private extensionBytes = 0;
  private trailerBytes = 0;
  private name: Uint8Array | undefined;
  private nameBytes = 0;
  private readonly sink: PayloadSink | undefined;

  constructor(sink?: PayloadSink) {
    this.sink = sink;
  }

  /** The body, trailers included, is complete. */
  get complete(): boolean {
    return this.state === 'done';
  }

  /** Scans `bytes[start..end)`; answers with the offset after what belongs to the body, or FAULTY with `fault` set. */
  scan(bytes: Uint8Array, start: number, end: number): number {
    let i = start;
    while (i < end && this.state !== 'done') {
      if (this.state === 'data') {
        const taken = Math.min(this.left, end - i);
        this.sink?.(bytes, i, i + taken);
        this.left -= taken;
        i += taken;
        if (this.left === 0) this.state = 'dataCr';
      } else {
        const fault = this.step(bytes[i]!);
        if (fault !== undefined) {
          this.fault = fault;
          return FAULTY;
        }
        i++;
      }
    }
    return i;
  }

  private step(byte: number): HttpFault | undefined {
    switch (this.state) {
      case 'size':
        return this.stepSize(byte);
      case 'extension':
        return this.stepExtension(byte);
      case 'sizeLf':
        return this.endSizeLine(byte);
      case 'dataCr':
        return this.expect(byte, BYTE.cr, 'dataLf');
      case 'dataLf':
        return this.expect(byte, BYTE.lf, 'size');
      case 'trailerStart':
      case 'trailerName':
      case 'trailerValue':
        return this.stepTrailer(byte);
      case 'trailerLf':
        return byte === BYTE.lf ? this.endTrailer() : FAULTS.trailer;
      case 'endLf':
        return byte === BYTE.lf ? this.enter('done') : FAULTS.trailer;
      // `scan` never steps through these.
      case 'data':
      case 'done':
        return FAULTS.chunkSize;
    }
  }

  private enter(state: State): undefined {
    this.state = state;
  }

  private expect(byte: number, expected: number, next: State): HttpFault | undefined {
    if (byte !== expected) return FAULTS.chunkEnd;
    return this.enter(next);
  }

  private stepSize(byte: number): HttpFault | undefined {
    if ((CLASS_OF[byte]! & CHAR.hex) !== 0) {
      if (++this.digits > SIZE_DIGITS_MAX) return FAULTS.chunkSize;
      this.left = this.left * 16 + hexValue(byte);
      return undefined;
    }
    if (this.digits === 0) return FAULTS.chunkSize;
    if (byte === BYTE.cr) return this.enter('sizeLf');
    return this.enterExtension(nextExtensionState('gap', byte), FAULTS.chunkSize);
  }

  private stepExtension(byte: number): HttpFault | undefined {
    if (++this.extensionBytes > EXTENSION_BYTES_MAX) return FAULTS.chunkExtension;
    return this.enterExtension(nextExtensionState(this.extension, byte), FAULTS.chunkExtension);
  }

  private enterExtension(next: ExtensionState | 'end' | undefined, fault: HttpFault): HttpFault | undefined {
    if (next === undefined) return fault;
    if (next === 'end') return this.enter('sizeLf');
    this.extension = next;
    return this.enter('extension');
  }

  private endSizeLine(byte: number): HttpFault | undefined {
    if (byte !== BYTE.lf) return FAULTS.chunkSize;
    this.state = this.left === 0 ? 'trailerStart' : 'data';
    this.payloadBytes += this.left;
    this.digits = 0;
    this.extensionBytes = 0;
    return undefined;
  }

  private stepTrailer(byte: number): HttpFault | undefined {
    if (++this.trailerBytes > TRAILER_BYTES_MAX) return FAULTS.trailer;
    if (this.sink !== undefined && byte !== BYTE.cr) this.trailers += String.fromCharCode(byte);
    if (this.state === 'trailerValue') {
      if (byte === BYTE.cr) return this.enter('trailerLf');
      return (CLASS_OF[byte]! & CHAR.value) === 0 ? FAULTS.trailer : undefined;
    }
    if ((CLASS_OF[byte]! & CHAR.token) !== 0) return this.takeName(byte);
    if (this.state === 'trailerStart') return byte === BYTE.cr ? this.enter('endLf') : FAULTS.trailer;
    return byte === BYTE.colon ? this.endName() : FAULTS.trailer;
  }

  private endTrailer(): undefined {
    if (this.sink !== undefined) this.trailers += '\n';
    return this.enter('trailerStart');
  }

  private takeName(byte: number): undefined {
    this.name ??= new Uint8Array(NAME_BYTES_MAX);
    if (this.state === 'trailerStart') this.nameBytes = 0;
    // Beyond its end a typed array ignores what is written; a name of that length is never looked for.
    this.name[this.nameBytes++] = byte;
    return this.enter('trailerName');
  }

  private endName(): HttpFault | undefined {
    const { name, nameBytes } = this;
    const id = name === undefined || nameBytes > NAME_BYTES_MAX ? FIELD.other : fieldIdOf(name, 0, nameBytes);
    return (TRAILERS_ALLOWED & (1 << id)) === 0 ? FAULTS.trailerField : this.enter('trailerValue');
  }
}
