import { type Input, type MapInput, type Plain, plainOf } from '../input/input.ts';
import { root as usher } from '../keys/root.ts';
import type { Shape, Type } from '../types/type.ts';
import type { Remarks } from './remarks.ts';

/** Keys that translations write already, and that count from the day on which Usher has them. `*` is any name or item. */
const AWAITED = ['rate_limit', 'routes.*.rate_limit', 'pools.*.passive'];

/** Takes away what Usher has no key for yet, and says so. */
export function withoutAwaited(root: MapInput, remarks: Remarks): MapInput {
  let left: Input = root;
  for (const path of AWAITED) {
    const segments = path.split('.');
    if (!isKey(usher, segments)) left = without(left, segments, path, remarks);
  }
  return left.kind === 'map' ? left : root;
}

function isKey({ shape }: Type<unknown>, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  const below = typeBelow(shape, first);
  return below !== undefined && isKey(below, rest);
}

function typeBelow(shape: Shape, segment: string): Type<unknown> | undefined {
  switch (shape.kind) {
    case 'scalar':
      return undefined;
    case 'either':
      return typeBelow(shape.other.shape, segment);
    case 'list':
      return shape.item;
    case 'record':
      return shape.value;
    case 'section':
      return Object.hasOwn(shape.keys, segment) ? shape.keys[segment]?.type : undefined;
  }
}

function without(input: Input, [first, ...rest]: readonly string[], path: string, remarks: Remarks): Input {
  if (first === undefined || input.kind === 'scalar') return input;
  if (input.kind === 'list')
    return { ...input, items: input.items.map((item) => without(item, rest, path, remarks)) };
  const entries = new Map(input.entries);
  for (const [name, entry] of input.entries) {
    if (first !== '*' && name !== first) continue;
    if (rest.length > 0) {
      entries.set(name, { ...entry, value: without(entry.value, rest, path, remarks) });
      continue;
    }
    entries.delete(name);
    remarks.lost(
      name,
      entry.keyAt,
      `Usher has no such key yet; it would be \`${name}: ${flow(plainOf(entry.value))}\``,
    );
  }
  return { ...input, entries };
}

/** As YAML in one line. */
function flow(plain: Plain): string {
  if (typeof plain !== 'object' || plain === null) return String(plain);
  const parts = Object.entries(plain).map(([key, below]) => `${key}: ${flow(below)}`);
  return `{ ${parts.join(', ')} }`;
}
