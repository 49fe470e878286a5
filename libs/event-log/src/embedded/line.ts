import { crc32 } from 'node:zlib';
import type { Position } from '@usher/ports';

/**
 * One record on disk is one line of JSON with its members in this order:
 * `{"crc":"89abcdef","position":1,"subject":"usher.events.…","id":"…","events":[…]}`.
 * The checksum is the CRC-32, in hex, of the bytes between the comma after it and the end of the line; `id` is that of
 * the first event. The fixed order lets a reader take a line apart without parsing the events.
 */
export interface Line {
  readonly position: Position;
  readonly subject: string;
  /** Empty when the record has no first event. */
  readonly id: string;
  /** Where the text of the record is in the buffer that was parsed. */
  readonly textStart: number;
  readonly textEnd: number;
}

const CRC_START = '{"crc":"'.length;
const CRC_DIGITS = 8;
const CRC_END = CRC_START + CRC_DIGITS;
const BODY_START = '{"crc":"89abcdef",'.length;
/** How every line begins; nothing within a line looks so, since JSON escapes quotes. */
export const LINE_START = Buffer.from('{"crc":"');
const POSITION = Buffer.from('","position":');
const SUBJECT = Buffer.from(',"subject":"');
const ID = Buffer.from('","id":"');
const EVENTS = Buffer.from('","events":');
const CLOSING_BRACE = 0x7d;
const DIGIT_ZERO = 0x30;
const QUOTE = 0x22;

/** The line of a record, with its end. Subject and id must need no escaping in JSON. */
export function formatLine(position: Position, subject: string, id: string, text: string): string {
  const body = `"position":${position},"subject":"${subject}","id":"${id}","events":${text}}`;
  return `{"crc":"${checksumOf(body)}",${body}\n`;
}

/** Reads the line between two offsets, its end excluded; undefined when it is not what was written. */
export function parseLine(buffer: Buffer, start: number, end: number): Line | undefined {
  const body = start + BODY_START;
  if (end <= body || !has(buffer, LINE_START, start) || buffer[end - 1] !== CLOSING_BRACE) return undefined;
  const checksum = buffer.toString('latin1', start + CRC_START, start + CRC_END);
  if (checksum !== checksumOf(buffer.subarray(body, end))) return undefined;
  if (!has(buffer, POSITION, start + CRC_END)) return undefined;

  let at = start + CRC_END + POSITION.length;
  let position = 0;
  for (let digit = digitAt(buffer, at); digit >= 0 && digit <= 9; digit = digitAt(buffer, ++at)) {
    position = position * 10 + digit;
  }
  if (!has(buffer, SUBJECT, at)) return undefined;
  const subjectStart = at + SUBJECT.length;
  const subjectEnd = buffer.indexOf(QUOTE, subjectStart);
  if (subjectEnd < 0 || !has(buffer, ID, subjectEnd)) return undefined;
  const idStart = subjectEnd + ID.length;
  const idEnd = buffer.indexOf(QUOTE, idStart);
  if (idEnd < 0 || !has(buffer, EVENTS, idEnd)) return undefined;
  return {
    position,
    subject: buffer.toString('latin1', subjectStart, subjectEnd),
    id: buffer.toString('latin1', idStart, idEnd),
    textStart: idEnd + EVENTS.length,
    textEnd: end - 1,
  };
}

function checksumOf(body: string | Buffer): string {
  return crc32(body).toString(16).padStart(CRC_DIGITS, '0');
}

function digitAt(buffer: Buffer, at: number): number {
  return (buffer[at] ?? 0) - DIGIT_ZERO;
}

function has(buffer: Buffer, expected: Buffer, at: number): boolean {
  for (let index = 0; index < expected.length; index++) {
    if (buffer[at + index] !== expected[index]) return false;
  }
  return true;
}
