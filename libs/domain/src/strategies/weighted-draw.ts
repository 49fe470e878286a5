import type { Candidate, CandidatePool, Measures, Uniform } from './strategy.ts';

/** The candidate on whose stretch of the line from 0 to the sum of weights `point` lies; there has to be one. */
export function at<C extends Candidate>(eligible: readonly C[], point: number): C {
  let low = 0;
  let high = eligible.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (eligible[middle]!.cumulativeWeight > point) high = middle;
    else low = middle + 1;
  }
  return eligible[low]!;
}

/** Draws one by weight without those in `tried` and `without`. For retries, which are rare enough to scan. */
export function drawUntried<C extends Candidate>(
  { eligible }: CandidatePool<C>,
  tried: readonly C[],
  without: C | undefined,
  random: Uniform,
): C | undefined {
  let total = 0;
  for (const candidate of eligible) {
    if (candidate !== without && !tried.includes(candidate)) total += candidate.weight;
  }
  let point = random.next() * total;
  let last: C | undefined;
  for (const candidate of eligible) {
    if (candidate === without || tried.includes(candidate)) continue;
    last = candidate;
    point -= candidate.weight;
    if (point < 0) break;
  }
  return last;
}

/**
 * Draws two different backends by weight, and answers with `better` of them: a function that is given the first and the
 * second.
 */
export function betterOfTwo<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  random: Uniform,
  better: (first: C, second: C, pool: CandidatePool<C>) => C,
): C | undefined {
  const { eligible, totalWeight } = pool;
  if (tried.length > 0) {
    const first = drawUntried(pool, tried, undefined, random);
    const second = first === undefined ? undefined : drawUntried(pool, tried, first, random);
    return first === undefined || second === undefined ? first : better(first, second, pool);
  }
  if (eligible.length < 2) return eligible[0];
  const first = at(eligible, random.next() * totalWeight);
  // The second draw is over everybody else: the place of the first is cut out of the line.
  let point = random.next() * (totalWeight - first.weight);
  if (point >= first.cumulativeWeight - first.weight) point += first.weight;
  return better(first, at(eligible, point), pool);
}

/** Whom `betterOfTwo` draws first and second; nobody where there is no choice. */
export function drawnOfTwo<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  random: Uniform,
): ReadonlyMap<C, Measures> {
  const drawn = new Map<C, Measures>();
  betterOfTwo(pool, tried, random, (first, second) => {
    drawn.set(first, { drawn: 1 }).set(second, { drawn: 2 });
    return first;
  });
  return drawn;
}
