import type { Coding } from '@usher/domain';

/** What was called `x-gzip` once is gzip (RFC 9110 section 8.4.1.3). */
const ALIASES: ReadonlyMap<string, string> = new Map([['x-gzip', 'gzip']]);
const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * The coding that a client likes best, of those that it likes the same the first of `codings`; undefined when it likes none
 * of them as well as none at all (RFC 9110 section 12.5.3). A weight that is no weight counts as 0.
 */
export function preferredCoding(
  accepted: string | undefined,
  codings: readonly Coding[],
): Coding | undefined {
  if (accepted === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const item of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(ALIASES.get(name) ?? name, weight === undefined ? 1 : Number(WEIGHT.exec(weight)?.[1] ?? 0));
  }
  let best: Coding | undefined;
  let bestWeight = 0;
  for (const coding of codings) {
    const weight = weights.get(coding) ?? weights.get('*') ?? 0;
    if (weight <= bestWeight) continue;
    best = coding;
    bestWeight = weight;
  }
  return bestWeight < (weights.get('identity') ?? 0) ? undefined : best;
}
