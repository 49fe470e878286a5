export { nextCounts, nextHealth, type ProbeCounts } from './health-rules.ts';
export { type HealthOptions, startHealth } from './health-service.ts';
export type { ProbeTarget } from './probe-plan.ts';
export type { ProbeResult, Prober } from './prober.ts';
