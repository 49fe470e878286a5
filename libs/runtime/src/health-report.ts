import type { Service } from '@usher/ports';
import type { Outage } from './outages.ts';

export type Phase = 'starting' | 'running' | 'stopping';

/** How this process is. `degraded`: it serves, and something does not work as it should. */
export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'starting' | 'stopping';
  readonly services: readonly ServiceHealth[];
  /** What of the fleet this process does without, and since when; absent where nobody looks. */
  readonly outages?: readonly OutageReport[];
}

interface OutageReport {
  readonly part: string;
  /** RFC 3339. */
  readonly since: string;
  readonly what: string;
}

interface ServiceHealth {
  readonly name: string;
  /** One sentence; null when the service works as it should. */
  readonly fault: string | null;
}

export function healthReport(
  phase: Phase,
  services: readonly Pick<Service, 'name' | 'fault'>[],
  current: readonly Outage[] = [],
): HealthReport {
  const states = services.map((service) => ({ name: service.name, fault: service.fault() ?? null }));
  const outages = current.map(({ part, sinceMs, what }) => ({
    part,
    since: new Date(sinceMs).toISOString(),
    what,
  }));
  if (phase !== 'running') return { status: phase, services: states, outages };
  const degraded = outages.length > 0 || states.some(({ fault }) => fault !== null);
  return { status: degraded ? 'degraded' : 'ok', services: states, outages };
}

/**
 * 503 only when new traffic should go elsewhere. A degraded process still serves: were it taken out for that, one lost
 * connection to the log would take out every gateway at once.
 */
export function healthStatusCode(report: HealthReport): 200 | 503 {
  return report.status === 'ok' || report.status === 'degraded' ? 200 : 503;
}
