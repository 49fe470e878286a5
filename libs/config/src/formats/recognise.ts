import type { Input } from '../input/input.ts';
import { root as usher } from '../keys/root.ts';
import type { Type } from '../types/type.ts';
import { strangers } from './foreign-file.ts';
import type { KeyedFormat } from './format.ts';

/** Whose keys a file has. */
export type Recognised =
  | { readonly kind: 'usher' }
  | { readonly kind: 'format'; readonly format: KeyedFormat }
  /** Several that it fits equally well. */
  | { readonly kind: 'ambiguous'; readonly formats: readonly KeyedFormat[] };

/**
 * The system that knows most of the keys of a file. Usher's own come first when another fits no better, so that a mistake in
 * a file of Usher does not make it one of another system.
 */
export function recognise(root: Input, formats: readonly KeyedFormat[]): Recognised {
  const fits = formats.map((format) => ({ format, misfits: strangers(format.table, root).length }));
  const fewest = Math.min(...fits.map(({ misfits }) => misfits));
  if (misfitsOf(usher, root) <= fewest) return { kind: 'usher' };
  const best = fits.filter(({ misfits }) => misfits === fewest).map(({ format }) => format);
  const [only, ...others] = best;
  return only !== undefined && others.length === 0
    ? { kind: 'format', format: only }
    : { kind: 'ambiguous', formats: best };
}

/** How much of a file does not fit the keys of Usher. */
function misfitsOf({ shape }: Type<unknown>, input: Input): number {
  const isEmpty = input.kind === 'scalar' && input.value === null;
  switch (shape.kind) {
    case 'scalar':
      return input.kind === 'scalar' ? 0 : 1;
    case 'either':
      return input.kind === 'scalar' ? misfitsOf(shape.word, input) : misfitsOf(shape.other, input);
    case 'list':
      if (input.kind !== 'list') return isEmpty ? 0 : 1;
      return sum(input.items.map((item) => misfitsOf(shape.item, item)));
    case 'record':
      if (input.kind !== 'map') return isEmpty ? 0 : 1;
      return sum(Array.from(input.entries.values(), ({ value }) => misfitsOf(shape.value, value)));
    case 'section':
      if (input.kind !== 'map') return isEmpty ? 0 : 1;
      return sum(
        Array.from(input.entries, ([name, { value }]) => {
          if (Object.hasOwn(shape.keys, name)) return misfitsOf(shape.keys[name]!.type, value);
          return shape.open ? 0 : 1;
        }),
      );
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
