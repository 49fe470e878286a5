import { BYTE, CHAR, CLASS_OF } from './chars.ts';
import { FAULTS, type HttpFault } from './faults.ts';
import { FIELD, fieldIdOf } from './field-names.ts';

/** A scan ended before the message part did: more bytes are needed. */
export const INCOMPLETE = 0;
/** A scan found a fault, which the scanned object names. */
export const FAULTY = -1;

/** Most header lines that any limit may allow. */
export const FIELD_LINES_MAX = 1000;

const STRIDE = 5;
const IDS = 32;

/**
 * The header lines of one head, as offsets into its text. One table per worker and direction is enough: a head is
 * scanned, judged and rewritten before the next one is read.
 */
export class FieldTable {
  count = 0;
  /** Bit per `FIELD` id that occurs. */
  seen = 0;
  /** Bit per `FIELD` id that occurs more than once. */
  repeated = 0;
  /** Where the lines begin and where the blank line after them begins. */
  start = 0;
  end = 0;
  fault: HttpFault = FAULTS.fieldName;
  private readonly cells = new Int32Array(STRIDE * FIELD_LINES_MAX);
  private readonly firsts = new Int32Array(IDS);

  reset(start: number): void {
    this.count = 0;
    this.seen = 0;
    this.repeated = 0;
    this.start = start;
  }

  add(id: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const cells = this.cells;
    const at = this.count * STRIDE;
    cells[at] = nameStart;
    cells[at + 1] = nameEnd;
    cells[at + 2] = valueStart;
    cells[at + 3] = valueEnd;
    cells[at + 4] = id;
    const bit = 1 << id;
    if ((this.seen & bit) === 0) this.firsts[id] = this.count;
    else this.repeated |= bit;
    this.seen |= bit;
    this.count++;
  }

  has(id: number): boolean {
    return (this.seen & (1 << id)) !== 0;
  }

  isRepeated(id: number): boolean {
    return (this.repeated & (1 << id)) !== 0;
  }

  /** Index of the first line with this id; only meaningful when `has(id)`. */
  first(id: number): number {
    return this.firsts[id]!;
  }

  /** The first line from `from` on with this id; -1 when there is none. */
  next(id: number, from: number): number {
    if (!this.has(id)) return -1;
    const first = this.first(id);
    if (from > first && !this.isRepeated(id)) return -1;
    for (let line = Math.max(from, first); line < this.count; line++) if (this.id(line) === id) return line;
    return -1;
  }

  id(line: number): number {
    return this.cells[line * STRIDE + 4]!;
  }

  /** Marks a line as one that a Connection header nominated. */
  nominate(line: number): void {
    this.cells[line * STRIDE + 4] = FIELD.nominated;
    this.seen |= 1 << FIELD.nominated;
  }

  nameStart(line: number): number {
    return this.cells[line * STRIDE]!;
  }

  nameEnd(line: number): number {
    return this.cells[line * STRIDE + 1]!;
  }

  valueStart(line: number): number {
    return this.cells[line * STRIDE + 2]!;
  }

  valueEnd(line: number): number {
    return this.cells[line * STRIDE + 3]!;
  }

  /** Where the line after this one begins. */
  lineEnd(line: number): number {
    return line + 1 < this.count ? this.cells[(line + 1) * STRIDE]! : this.end;
  }
}

/**
 * Scans header lines strictly (RFC 9112 section 5) from `from` up to and including the blank line. Answers with the
 * offset after it, INCOMPLETE, or FAULTY with `table.fault` set. No byte is looked at twice.
 */
export function scanFields(
  bytes: Uint8Array,
  from: number,
  end: number,
  countMax: number,
  table: FieldTable,
): number {
  table.reset(from);
  let i = from;
  while (i < end) {
    const nameStart = i;
    let byte = bytes[i]!;
    if (byte === BYTE.cr) {
      if (i + 1 >= end) return INCOMPLETE;
      if (bytes[i + 1] !== BYTE.lf) return refuse(table, FAULTS.bareCarriageReturn);
      table.end = i;
      return i + 2;
    }
    while ((CLASS_OF[byte]! & CHAR.token) !== 0) {
      if (++i >= end) return INCOMPLETE;
      byte = bytes[i]!;
    }
    if (byte !== BYTE.colon || i === nameStart) return refuse(table, nameFault(byte, i === nameStart));
    if (table.count >= countMax) return refuse(table, FAULTS.tooManyFields);
    const nameEnd = i;
    do {
      if (++i >= end) return INCOMPLETE;
      byte = bytes[i]!;
    } while (byte === BYTE.space || byte === BYTE.tab);
    const valueStart = i;
    while ((CLASS_OF[byte]! & CHAR.value) !== 0) {
      if (++i >= end) return INCOMPLETE;
      byte = bytes[i]!;
    }
    if (byte !== BYTE.cr) return refuse(table, byte === BYTE.lf ? FAULTS.bareLineFeed : FAULTS.fieldValue);
    if (i + 1 >= end) return INCOMPLETE;
    if (bytes[i + 1] !== BYTE.lf) return refuse(table, FAULTS.bareCarriageReturn);
    let valueEnd = i;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) valueEnd--;
    table.add(fieldIdOf(bytes, nameStart, nameEnd), nameStart, nameEnd, valueStart, valueEnd);
    i += 2;
  }
  return INCOMPLETE;
}

function isBlank(byte: number): boolean {
  return byte === BYTE.space || byte === BYTE.tab;
}

function nameFault(byte: number, atStart: boolean): HttpFault {
  if (byte === BYTE.lf) return FAULTS.bareLineFeed;
  return atStart && isBlank(byte) ? FAULTS.folding : FAULTS.fieldName;
}

function refuse(table: FieldTable, fault: HttpFault): number {
  table.fault = fault;
  return FAULTY;
}
