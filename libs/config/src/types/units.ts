import { measure } from './scalar.ts';
import { Refusal, refuse, type Type } from './type.ts';

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const AMOUNT = /^([0-9]{1,16}(?:\.[0-9]{1,6})?)([A-Za-z]*)$/;

interface Range {
  /** As one would write it. */
  readonly min: string;
  readonly max: string;
  /** What `0` in this unit means, where it is allowed although it is below `min`. */
  readonly zero?: string;
}

/** A time in milliseconds, written with its unit. */
export function duration(range: Range): Type<number> {
  return amount(
    'a duration such as 500ms, 30s, 5m or 1h',
    'duration',
    range,
    parseDuration,
    DURATION_UNITS,
    'ms',
  );
}

/** An amount of bytes, written with its unit. */
export function size(range: Range): Type<number> {
  return amount('a size such as 64KiB, 10MiB or 1GB', 'size', range, parseSize, SIZE_UNITS, 'B');
}

/** A share of the whole as a number from 0 to 1, written as a percentage. */
export const percentage: Type<number> = measure({
  expects: 'a percentage from 0% to 100%',
  jsonSchema: { pattern: '^[0-9]{1,3}(\\.[0-9]{1,6})?%$' },
  standIn: 0,
  parse: parsePercentage,
  write: (value) => `${(100 * value).toFixed(12).replace(/\.?0+$/, '')}%`,
});

function amount(
  example: string,
  noun: string,
  range: Range,
  parse: (text: string) => number | Refusal,
  units: Readonly<Record<string, number>>,
  smallest: string,
): Type<number> {
  const min = Number(parse(range.min));
  const max = Number(parse(range.max));
  const zero = range.zero === undefined ? '' : `; 0 means ${range.zero}`;
  const limits = `from ${range.min} to ${range.max}${zero}`;
  return measure({
    expects: `${example} (${limits})`,
    jsonSchema: { pattern: `^[0-9]{1,15}(\\.[0-9]{1,6})?(${Object.keys(units).join('|')})$` },
    standIn: min,
    parse(text) {
      const value = parse(text);
      if (value instanceof Refusal) return value;
      const fits = (value >= min && value <= max) || (value === 0 && range.zero !== undefined);
      return fits ? value : refuse(`the ${noun} ${text} is out of range; it goes ${limits}`);
    },
    write: (value) => `${value}${smallest}`,
  });
}

/** Milliseconds of `500ms`, `30s`, `5m` or `1h`. */
function parseDuration(text: string): number | Refusal {
  return parseAmount(text, 'duration', DURATION_UNITS, 's') ?? refuse(...compound(text));
}

/** Bytes of `64KiB`, `10MB` and so on. */
function parseSize(text: string): number | Refusal {
  return (
    parseAmount(text, 'size', SIZE_UNITS, 'B') ??
    refuse(`${JSON.stringify(text)} is not a size such as 64KiB or 10MiB`)
  );
}

/** 0.2 of `20%`. */
function parsePercentage(text: string): number | Refusal {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,15})?)(%?)$/.exec(text);
  if (match === null) return refuse(`${JSON.stringify(text)} is not a percentage such as 20%`);
  const number = Number(match[1]);
  if (match[2] === '') {
    const meant = number < 1 ? Number((number * 100).toFixed(6)) : number;
    return refuse('a percentage needs its sign', meant <= 100 ? `${meant}%` : undefined);
  }
  return number <= 100 ? number / 100 : refuse(`${text} is more than 100%`);
}

/** The amount in its smallest unit; undefined when the text does not look like an amount at all. */
function parseAmount(
  text: string,
  noun: string,
  units: Readonly<Record<string, number>>,
  usual: string,
): number | Refusal | undefined {
  const match = AMOUNT.exec(text);
  if (match === null) return undefined;
  const [, digits = '', unit = ''] = match;
  if (unit === '') return refuse(`a ${noun} needs its unit`, `${digits}${usual}`);
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    const meant = unitMeant(unit, units);
    const names = Object.keys(units).join(', ');
    return refuse(
      `${JSON.stringify(unit)} is not one of the units ${names}`,
      meant === undefined ? undefined : digits + meant,
    );
  }
  const value = Number(digits) * factor;
  const rounded = Math.round(value);
  if (!Number.isSafeInteger(rounded) || Math.abs(value - rounded) > 1e-6) {
    return refuse(`${text} is not a whole number of ${Object.keys(units)[0]}`);
  }
  return rounded;
}

/** `MIN`, `sec` and `kb` are common ways to write units that have another name here. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  msec: 'ms',
  millis: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hour: 'h',
  hours: 'h',
  k: 'KiB',
  m: 'MiB',
  g: 'GiB',
  byte: 'B',
  bytes: 'B',
};

function unitMeant(unit: string, units: Readonly<Record<string, number>>): string | undefined {
  const lower = unit.toLowerCase();
  const sameLetters = Object.keys(units).find((name) => name.toLowerCase() === lower);
  if (sameLetters !== undefined) return sameLetters;
  const other = Object.hasOwn(OTHER_NAMES, lower) ? OTHER_NAMES[lower] : undefined;
  return other !== undefined && Object.hasOwn(units, other) ? other : undefined;
}

/** `1m30s` has one unit too many; what it means is easy to say. */
function compound(text: string): [message: string, suggestion?: string] {
  const message = `${JSON.stringify(text)} is not a duration such as 500ms, 30s, 5m or 1h`;
  if (!/^([0-9]{1,6}(ms|s|m|h)){2,4}$/.test(text)) return [message];
  let sum = 0;
  for (const [, digits = '', unit = ''] of text.matchAll(/([0-9]+)(ms|s|m|h)/g)) {
    sum += Number(digits) * (DURATION_UNITS[unit] ?? 0);
  }
  return [message, sum % 1000 === 0 ? `${sum / 1000}s` : `${sum}ms`];
}
