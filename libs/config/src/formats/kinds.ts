import { type Input, kindOf } from '../input/input.ts';
import { suggest } from '../suggest.ts';
import { type Refusal, refuse } from '../types/type.ts';
import { duration } from './draft.ts';

/** What a value in a file of another system may be. They are as tolerant as that system is. */
export interface Kind<T> {
  readonly expects: string;
  parse(input: Input): T | Refusal;
  /** A value as that system writes it; without it as it is. */
  show?(value: T): string;
}

export const text: Kind<string> = {
  expects: 'a text',
  parse: (input) => (input.kind === 'scalar' ? input.text : unexpected(text, input)),
};

/** Both spellings of booleans that YAML has had. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};

export const bool: Kind<boolean> = {
  expects: 'true or false',
  parse(input) {
    const word = input.kind === 'scalar' ? input.text.toLowerCase() : '';
    return Object.hasOwn(BOOLEANS, word) ? BOOLEANS[word] === true : unexpected(bool, input);
  },
};

/** A whole number in a range. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const expects =
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  const kind: Kind<number> = {
    expects,
    parse(input) {
      const number =
        input.kind === 'scalar' && /^[-+]?[0-9]{1,15}$/.test(input.text) ? Number(input.text) : Number.NaN;
      return number >= min && number <= max ? number : unexpected(kind, input);
    },
  };
  return kind;
}

export const port = whole(1, 65_535);

/** A number that is not negative. */
export const amount: Kind<number> = {
  expects: 'a number from 0',
  parse(input) {
    const number =
      input.kind === 'scalar' && /^[0-9]{1,15}(\.[0-9]{1,6})?$/.test(input.text) ? Number(input.text) : -1;
    return number >= 0 ? number : unexpected(amount, input);
  },
};

/** Texts in a list. */
export const texts: Kind<readonly string[]> = {
  expects: 'a list of texts',
  parse(input) {
    if (input.kind !== 'list') return unexpected(texts, input);
    const items = input.items.map((item) => (item.kind === 'scalar' ? item.text : undefined));
    return items.every((item) => item !== undefined) ? items : unexpected(texts, input);
  },
};

/** One of a few words; what each stands for. */
export function words<T>(meanings: Readonly<Record<string, T>>): Kind<T> {
  const names = Object.keys(meanings);
  const kind: Kind<T> = {
    expects: `one of ${names.join(', ')}`,
    parse(input) {
      const word = input.kind === 'scalar' ? input.text : '';
      const meaning = Object.hasOwn(meanings, word) ? meanings[word] : undefined;
      return meaning ?? refuse(`expected ${kind.expects}`, suggest(word, names));
    },
    show: (meaning) => names.find((name) => meanings[name] === meaning) ?? '',
  };
  return kind;
}

/** Units of Go's durations that a configuration can mean, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it, such as `1m30s`, in milliseconds. */
export const goDuration: Kind<number> = {
  show: duration,
  expects: 'a duration such as 30s or 1m30s',
  parse(input) {
    const written = input.kind === 'scalar' ? input.text : '';
    if (written === '0') return 0;
    if (!/^([0-9]{1,9}(\.[0-9]{1,6})?(us|µs|ms|s|m|h)){1,6}$/.test(written))
      return unexpected(goDuration, input);
    let ms = 0;
    for (const [, digits = '', unit = ''] of written.matchAll(/([0-9.]+)(us|µs|ms|s|m|h)/g))
      ms += Number(digits) * (UNITS[unit] ?? 0);
    return ms;
  },
};

/** Anything: it is only looked at by whether it is there. */
export const anything: Kind<true> = { expects: 'anything', parse: () => true };

function unexpected(kind: Kind<unknown>, input: Input): Refusal {
  // The value itself is not quoted, because it may be a secret in the wrong place.
  return refuse(`expected ${kind.expects}, found ${kindOf(input)}`);
}
