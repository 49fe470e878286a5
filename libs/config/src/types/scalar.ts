import { kindOf, type Plain, plainly, type ScalarInput } from '../input/input.ts';
import { suggest } from '../suggest.ts';
import { type JsonSchema, Refusal, refuse, SCALAR, type Type } from './type.ts';

interface ScalarParts<T> {
  readonly expects: string;
  readonly jsonSchema: JsonSchema;
  /** Stands in for a value with a fault. */
  readonly standIn: T;
  parse(input: ScalarInput): T | Refusal;
  /** What `parse` makes the value of; absent when that is the value itself. */
  write?(value: T): Plain;
}

/** A value that is written as one word, number or text. */
export function scalar<T>(parts: ScalarParts<T>): Type<T> {
  const { expects, jsonSchema, standIn } = parts;
  return {
    expects,
    jsonSchema,
    shape: SCALAR,
    read(input, path, reading) {
      if (input.kind !== 'scalar' || input.value === null || input.text === '') {
        reading.fault(path, input.at, `expected ${expects}, found ${kindOf(input)}`);
        return standIn;
      }
      const value = parts.parse(input);
      if (value instanceof Refusal) {
        reading.fault(path, input.at, value.message, value.suggestion);
        return standIn;
      }
      reading.leaf(path, input.text, input.at);
      return value;
    },
    write: (value) => parts.write?.(value) ?? plainly(value),
  };
}

interface TextParts<T> {
  readonly expects: string;
  readonly jsonSchema?: JsonSchema;
  readonly standIn: T;
  parse(text: string): T | Refusal;
  /** As that of `scalar`. */
  write?(value: T): Plain;
}

/** Text of a certain form. Numbers are refused, because `010` and `1.10` would silently change on their way through YAML. */
export function text<T>(parts: TextParts<T>): Type<T> {
  return scalar({
    ...parts,
    jsonSchema: { type: 'string', ...parts.jsonSchema },
    parse(input) {
      if (typeof input.value === 'string') return parts.parse(input.text);
      return refuse(`expected ${parts.expects}, found ${kindOf(input)}; put it in quotes`);
    },
  });
}

/** Text in which a number without its unit is a likely mistake, so `parse` gets to see it. */
export function measure<T>(parts: TextParts<T>): Type<T> {
  return scalar({
    ...parts,
    jsonSchema: { type: 'string', ...parts.jsonSchema },
    parse: (input) =>
      typeof input.value === 'boolean'
        ? refuse(`expected ${parts.expects}, found ${kindOf(input)}`)
        : parts.parse(input.text),
  });
}

export function wholeNumber(range: { readonly min: number; readonly max: number }): Type<number> {
  return numeric(`a whole number from ${range.min} to ${range.max}`, range, true);
}

export function decimalNumber(range: { readonly min: number; readonly max: number }): Type<number> {
  return numeric(`a number from ${range.min} to ${range.max}`, range, false);
}

function numeric(expects: string, { min, max }: { min: number; max: number }, whole: boolean): Type<number> {
  return scalar({
    expects,
    jsonSchema: { type: whole ? 'integer' : 'number', minimum: min, maximum: max },
    standIn: min,
    parse(input) {
      const value = input.loose && /^[0-9.]+$/.test(input.text) ? Number(input.text) : input.value;
      if (typeof value !== 'number') return refuse(`expected ${expects}, found ${kindOf(input)}`);
      const fits = whole ? Number.isSafeInteger(value) : Number.isFinite(value);
      return fits && value >= min && value <= max
        ? value
        : refuse(`expected ${expects}, found ${input.text}`);
    },
  });
}

const YES_NO: Readonly<Record<string, boolean>> = { yes: true, on: true, no: false, off: false };

export const trueOrFalse: Type<boolean> = scalar({
  expects: 'true or false',
  jsonSchema: { type: 'boolean' },
  standIn: false,
  parse(input) {
    if (typeof input.value === 'boolean') return input.value;
    if (input.loose && (input.text === 'true' || input.text === 'false')) return input.text === 'true';
    const word = input.text.toLowerCase();
    const meant = Object.hasOwn(YES_NO, word) ? String(YES_NO[word]) : undefined;
    return refuse(`expected true or false, found ${kindOf(input)}`, meant);
  },
});

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly [W, ...W[]]): Type<W> {
  const expects = words.length === 1 ? `the word ${words[0]}` : `one of ${words.join(', ')}`;
  return scalar({
    expects,
    jsonSchema: { enum: words },
    standIn: words[0],
    parse(input) {
      const found = words.find((word) => word === input.text);
      if (found !== undefined) return found;
      return refuse(`${JSON.stringify(input.text)} is not ${expects}`, suggest(input.text, words));
    },
  });
}
