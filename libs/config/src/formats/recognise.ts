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
  const fits = formats.map((format) => ({
    format,
    misfits: sum(strangers(format.table, root).map(({ input }) => leavesOf(input))),
  }));
  const fewest = Math.min(...fits.map(({ misfits }) => misfits));
  if (misfitsOf(usher, root) <= fewest) return { kind: 'usher' };
  const best = fits.filter(({ misfits }) => misfits === fewest).map(({ format }) => format);
  const [only, ...others] = best;
  return only !== undefined && others.length === 0
    ? { kind: 'format', format: only }
    : { kind: 'ambiguous', formats: best };
}

/** Whether a file has any key of Usher: what fits nothing is none of Usher's for that. */
export function isOfUsher(root: Input): boolean {
  const { shape }: Type<unknown> = usher;
  if (root.kind !== 'map' || shape.kind !== 'section') return false;
  return [...root.entries.keys()].some((name) => Object.hasOwn(shape.keys, name));
}

/** How many values there are in it; what is empty is one too. */
function leavesOf(input: Input): number {
  if (input.kind === 'scalar') return 1;
  const below =
    input.kind === 'list' ? input.items : Array.from(input.entries.values(), ({ value }) => value);
  return Math.max(1, sum(below.map(leavesOf)));
}

/** How many values of a file do not fit the keys of Usher. */
function misfitsOf({ shape }: Type<unknown>, input: Input): number {
  const isEmpty = input.kind === 'scalar' && input.value === null;
  switch (shape.kind) {
    case 'scalar':
      return input.kind === 'scalar' ? 0 : leavesOf(input);
    case 'either':
      return input.kind === 'scalar' ? misfitsOf(shape.word, input) : misfitsOf(shape.other, input);
    case 'list':
      if (input.kind !== 'list') return isEmpty ? 0 : leavesOf(input);
      return sum(input.items.map((item) => misfitsOf(shape.item, item)));
    case 'record':
      if (input.kind !== 'map') return isEmpty ? 0 : leavesOf(input);
      return sum(Array.from(input.entries.values(), ({ value }) => misfitsOf(shape.value, value)));
    case 'section':
      if (input.kind !== 'map') return isEmpty ? 0 : leavesOf(input);
      return sum(
        Array.from(input.entries, ([name, { value }]) => {
          if (Object.hasOwn(shape.keys, name)) return misfitsOf(shape.keys[name]!.type, value);
          return shape.open ? 0 : leavesOf(value);
        }),
      );
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
