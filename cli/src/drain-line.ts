import type { DrainView } from '@usher/admin';

/** How far a drain is, in one line. */
export function drainLine(backend: string, { deadline, removing, gateways }: DrainView): string {
  const left = gateways.map(({ gateway, done, inFlight }) => {
    if (done) return `${gateway} is done`;
    return inFlight === null ? `${gateway} has not said` : `${gateway} has ${inFlight} under way`;
  });
  const end = removing ? 'drains until it is removed,' : 'drains until';
  return `${backend} ${end} ${deadline} at the latest: ${left.join(', ') || 'no gateway runs'}`;
}
