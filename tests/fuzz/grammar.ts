import type { Chance } from './chance.ts';
import {
  CODINGS,
  COLONS,
  CONNECTIONS,
  EXTENSIONS,
  FIELD_NAMES,
  FIELD_VALUES,
  HOSTS,
  LENGTHS,
  LINE_ENDS,
  METHODS,
  REASONS,
  SPACES,
  STATUSES,
  TARGETS,
  TRAILERS,
  VERSIONS,
} from './vocabulary.ts';

/** Messages by the grammar, with a taste for what parsers disagree about. */

/** A separator is mostly as it has to be, since a message has many of them. */
const SEPARATOR_ODDITY = 250;
const WORD_ODDITY = 25;

type Words = Readonly<Record<'usual' | 'odd', readonly string[]>>;

const word = (chance: Chance, { usual, odd }: Words): string => chance.mostly(usual, WORD_ODDITY, odd);
const separator = (chance: Chance, { usual, odd }: Words): string =>
  chance.mostly(usual, SEPARATOR_ODDITY, odd);
const lineEnd = (chance: Chance): string => separator(chance, LINE_ENDS);

function field(chance: Chance, name: string, value: string): string {
  const padding = chance.oneIn(20) ? chance.pick([' ', '\t', ' \t ']) : '';
  return name + separator(chance, COLONS) + value + padding + lineEnd(chance);
}

function otherFields(chance: Chance): string {
  return chance.upTo(2, () => {
    if (chance.oneIn(6)) return field(chance, 'Connection', word(chance, CONNECTIONS));
    if (chance.oneIn(30))
      return field(chance, 'Expect', chance.mostly(['100-continue'], 4, ['x', '', '100-Continue']));
    return field(chance, chance.pick(FIELD_NAMES), word(chance, FIELD_VALUES));
  });
}

/** Printable text with rare other bytes. */
function someText(chance: Chance, most: number): string {
  return chance.upTo(most, () =>
    String.fromCharCode(chance.oneIn(20) ? chance.below(256) : 33 + chance.below(94)),
  );
}

/** Fields that frame a body, and a body that mostly fits them. */
function framing(chance: Chance): { readonly fields: string; readonly body: string } {
  const kind = chance.below(12);
  if (kind < 4) return { fields: '', body: chance.oneIn(12) ? someText(chance, 8) : '' };
  if (kind < 7) {
    const body = someText(chance, 12);
    return { fields: field(chance, 'Content-Length', `${body.length}`), body };
  }
  if (kind < 11) return { fields: field(chance, 'Transfer-Encoding', 'chunked'), body: chunkedBody(chance) };
  const length = (): string => field(chance, 'Content-Length', chance.pick(LENGTHS));
  const coding = (): string => field(chance, 'Transfer-Encoding', chance.pick(CODINGS));
  const fields = chance.pick([length, coding, length, coding])() + chance.pick([() => '', length, coding])();
  return { fields, body: chance.oneIn(2) ? chunkedBody(chance) : someText(chance, 12) };
}

function chunkedBody(chance: Chance): string {
  const extension = (): string => (chance.oneIn(6) ? chance.mostly(EXTENSIONS.usual, 3, EXTENSIONS.odd) : '');
  const chunk = (): string => {
    const data = someText(chance, 20) || 'x';
    return size(chance, data.length) + extension() + lineEnd(chance) + data + lineEnd(chance);
  };
  const last =
    chance.mostly(['0', '0', '0', '00'], WORD_ODDITY, ['-0', '', '0x0']) + extension() + lineEnd(chance);
  const trailer = (): string => word(chance, TRAILERS) + lineEnd(chance);
  return chance.upTo(3, chunk) + last + (chance.oneIn(4) ? chance.upTo(2, trailer) : '') + lineEnd(chance);
}

function size(chance: Chance, bytes: number): string {
  const digits = bytes.toString(16);
  if (!chance.oneIn(20)) return chance.oneIn(3) ? digits.toUpperCase() : digits;
  const beside = [` ${digits}`, `${digits} `, `+${digits}`, `0x${digits}`, `${digits}g`, `${bytes + 1}`];
  const zeros = [`0${digits}`, `${'0'.repeat(14)}${digits}`, `1${'0'.repeat(16)}`, 'ffffffffffffffff'];
  return chance.pick([...beside, ...zeros]);
}

/** One to three requests. */
export function requestText(chance: Chance): string {
  const one = (): string => {
    const empty = chance.oneIn(12) ? '\r\n' : '';
    const target = separator(chance, SPACES) + word(chance, TARGETS) + separator(chance, SPACES);
    const line = word(chance, METHODS) + target + word(chance, VERSIONS) + lineEnd(chance);
    const { fields, body } = framing(chance);
    const host = chance.oneIn(20) ? '' : field(chance, 'Host', word(chance, HOSTS));
    const needed = chance.oneIn(2) ? host + fields : fields + host;
    return empty + line + otherFields(chance) + needed + otherFields(chance) + lineEnd(chance) + body;
  };
  return one() + chance.upTo(2, one);
}

/** A request of which only the body is in question, and what may follow it. */
export function chunkedRequestText(chance: Chance): string {
  const next = chance.oneIn(2) ? 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n' : '';
  return `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedBody(chance)}${next}`;
}

/** One response with informational ones before it. */
export function responseText(chance: Chance): string {
  const line = (status: string): string =>
    word(chance, VERSIONS) + separator(chance, SPACES) + status + word(chance, REASONS) + lineEnd(chance);
  const informational = (): string =>
    line(chance.pick(['100', '102', '103', '199'])) + otherFields(chance) + lineEnd(chance);
  const { fields, body } = framing(chance);
  const before = chance.oneIn(5) ? chance.upTo(2, informational) : '';
  const needed = otherFields(chance) + fields + otherFields(chance);
  return before + line(word(chance, STATUSES)) + needed + lineEnd(chance) + body;
}
