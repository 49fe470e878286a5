import type { ListenerSettings } from './listeners.ts';

export interface GatewaySettings {
  readonly listen: readonly ListenerSettings[];
  /** `auto`: one per core, at most 16. */
  readonly workers: number | 'auto';
  /** File of the database that says where clients are. Absent = nobody knows. */
  readonly geoipDatabase?: string | undefined;
}
