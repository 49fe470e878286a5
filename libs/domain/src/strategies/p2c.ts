import type { Candidate, CandidatePool, Uniform } from './strategy.ts';

/**
 * Power of two choices: draws two different backends by weight and takes the one with fewer requests under way for its
 * weight, the first of them when they tie. Weight acts in the draw and in the comparison: in the draw it gives an idle
 * pool its shares, in the comparison a busy one its balance. It needs no scan and no state shared between workers,
 * and because it looks at two only, gateways that know little of each other do not all run to the same backend.
 */
export function p2c<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  random: Uniform,
): C | undefined {
  if (tried.length > 0) return amongUntried(pool, tried, random);
  const { eligible, totalWeight } = pool;
  if (eligible.length < 2) return eligible[0];
  const first = at(eligible, random.next() * totalWeight);
  // The second draw is over everybody else: the place of the first is cut out of the line.
  let point = random.next() * (totalWeight - first.weight);
  if (point >= first.cumulativeWeight - first.weight) point += first.weight;
  return lighter(first, at(eligible, point));
}

/** The candidate on whose stretch of the line from 0 to the sum of weights `point` lies. */
function at<C extends Candidate>(eligible: readonly C[], point: number): C {
  let low = 0;
  let high = eligible.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (eligible[middle]!.cumulativeWeight > point) high = middle;
    else low = middle + 1;
  }
  return eligible[low]!;
}

function lighter<C extends Candidate>(first: C, second: C): C {
  return second.inFlight * first.weight < first.inFlight * second.weight ? second : first;
}

/** A retry: rare enough to scan. */
function amongUntried<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  random: Uniform,
): C | undefined {
  const first = draw(pool.eligible, tried, undefined, random);
  if (first === undefined) return undefined;
  const second = draw(pool.eligible, tried, first, random);
  return second === undefined ? first : lighter(first, second);
}

function draw<C extends Candidate>(
  eligible: readonly C[],
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
