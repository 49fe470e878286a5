import type { Service } from '@usher/ports';

export type Phase = 'starting' | 'running' | 'stopping';

/** How this process is. `degraded`: it serves, and something does not work as it should. */
export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'starting' | 'stopping';
  readonly services: readonly ServiceHealth[];
}

interface ServiceHealth {
  readonly name: string;
  /** One sentence; null when the service works as it should. */
  readonly fault: string | null;
}

export function healthReport(
  phase: Phase,
  services: readonly Pick<Service, 'name' | 'fault'>[],
): HealthReport {
  const states = services.map((service) => ({ name: service.name, fault: service.fault() ?? null }));
  if (phase !== 'running') return { status: phase, services: states };
  return { status: states.some(({ fault }) => fault !== null) ? 'degraded' : 'ok', services: states };
}

/**
 * 503 only when new traffic should go elsewhere. A degraded process still serves: were it taken out for that, one lost
 * connection to the log would take out every gateway at once.
 */
export function healthStatusCode(report: HealthReport): 200 | 503 {
  return report.status === 'ok' || report.status === 'degraded' ? 200 : 503;
}
