import { type Input, kindOf, type Plain, plainly } from '../input/input.ts';
import { join, type Reading } from '../reading.ts';
import { suggest } from '../suggest.ts';
import { scalar } from './scalar.ts';
import { Refusal, refuse, type Type } from './type.ts';

interface ListOptions {
  readonly min?: number;
}

/** A list of values of one type. */
export function list<T>(item: Type<T>, options: ListOptions = {}): Type<readonly T[]> {
  const min = options.min ?? 0;
  const expects = `a list${min === 0 ? '' : ` of at least ${min}`}, each ${item.expects}`;
  return {
    expects,
    jsonSchema: { type: 'array', items: item.jsonSchema, ...(min === 0 ? {} : { minItems: min }) },
    shape: { kind: 'list', item },
    read(input, path, reading) {
      if (input.kind !== 'list') {
        reading.fault(path, input.at, `expected ${expects}, found ${kindOf(input)}`);
        return [];
      }
      if (input.items.length < min) {
        reading.fault(path, input.at, `expected ${expects}, found ${input.items.length}`);
      }
      if (input.items.length === 0) reading.leaf(path, '[]', input.at);
      return input.items.map((value, index) => {
        const at = `${path}[${index}]`;
        reading.locate(at, value.at);
        return reading.remember(item.read(value, at, reading), at);
      });
    },
    write: (values) => values.map((value) => writtenBy(item, value)),
  };
}

interface RecordOptions {
  /** What stands for the key in documentation: `<id>`. */
  readonly name: string;
  readonly keyExpects: string;
  readonly keyPattern: RegExp;
  parseKey(text: string): string | Refusal;
}

/** A map whose keys are names that the user chooses. */
export function record<T>(value: Type<T>, options: RecordOptions): Type<ReadonlyMap<string, T>> {
  const expects = `a map from ${options.keyExpects} to ${value.expects}`;
  return {
    expects,
    jsonSchema: {
      type: 'object',
      propertyNames: { pattern: options.keyPattern.source },
      additionalProperties: value.jsonSchema,
    },
    shape: { kind: 'record', name: options.name, value },
    read(input, path, reading) {
      const values = new Map<string, T>();
      if (input.kind !== 'map') {
        reading.fault(path, input.at, `expected ${expects}, found ${kindOf(input)}`);
        return values;
      }
      for (const [name, entry] of input.entries) {
        const at = join(path, name);
        const key = options.parseKey(name);
        if (key instanceof Refusal) reading.fault(at, entry.keyAt, key.message, key.suggestion);
        reading.locate(at, entry.keyAt);
        values.set(name, reading.remember(value.read(entry.value, at, reading), at));
      }
      return values;
    },
    write: (values) =>
      Object.fromEntries(Array.from(values, ([name, each]) => [name, writtenBy(value, each)])),
  };
}

/** Either a word (any scalar) or something else: `embedded`, or a map. */
export function either<A, B>(word: Type<A>, other: Type<B>): Type<A | B> {
  const expects = `${word.expects}, or ${other.expects}`;
  return {
    expects,
    jsonSchema: { anyOf: [word.jsonSchema, other.jsonSchema] },
    shape: { kind: 'either', word, other },
    read(input: Input, path: string, reading: Reading): A | B {
      if (input.kind !== 'scalar') return other.read(input, path, reading);
      if (input.value !== null) return word.read(input, path, reading);
      reading.fault(path, input.at, `expected ${expects}, found nothing`);
      return reading.quietly(() => word.read(input, path, reading));
    },
    write: (value) => (typeof value === 'string' ? value : writtenBy<unknown>(other, value)),
  };
}

/** Either the one word or something else; any other word gets both as what is expected. */
export function wordOr<const W extends string, T>(word: W, other: Type<T>): Type<W | T> {
  const expects = `the word ${word}, or ${other.expects}`;
  const type = either(
    scalar<W>({
      expects: `the word ${word}`,
      jsonSchema: { const: word },
      standIn: word,
      parse: (input) =>
        input.text === word
          ? word
          : refuse(`expected ${expects}, found ${kindOf(input)}`, suggest(input.text, [word])),
    }),
    other,
  );
  if (other.shape.kind !== 'either') return type;
  // The other has a word of its own.
  return {
    ...type,
    read: (input, path, reading) =>
      input.kind === 'scalar' && input.value !== null && input.text !== word
        ? other.read(input, path, reading)
        : type.read(input, path, reading),
  };
}

/** What need not be said is absent. */
type Given<A> = { readonly [K in keyof A]?: A[K] | undefined };

/**
 * A type whose result is built from another's. The result stands for the same path. `take` takes it apart again; absent, it is
 * written as that of which it was built.
 */
export function mapped<A, B>(
  type: Type<A>,
  build: (value: A, path: string, reading: Reading) => B,
  take?: (value: B) => Given<A>,
): Type<B> {
  return {
    ...type,
    read: (input, path, reading) =>
      reading.remember(build(type.read(input, path, reading), path, reading), path),
    write: (value) => writtenBy<unknown>(type, take === undefined ? value : take(value)),
  };
}

/** What has no way of its own to be written is written as it is, and so is a word in place of a map: whoever reads it refuses it. */
export function writtenBy<T>(type: Type<T>, value: T): Plain {
  if (typeof value === 'string' && type.shape.kind === 'section') return value;
  return type.write?.(value) ?? plainly(value);
}
