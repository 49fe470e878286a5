import {
  DEFAULT_SCORING,
  FastRandom,
  type ResourceBackend,
  ResourceTable,
  type SpherePoint,
  type Uniform,
} from '@usher/domain';
import { nanoseconds } from '../measure.ts';
import { machineBy, pointBy, TIER } from './machines.ts';

/** Different clients, so that no decision is like the one before. */
const CLIENTS = 4096;

/** Nanoseconds of deciding by resources. */
export interface ResourceResult {
  /** Clients and backends all over the Earth. */
  readonly worldwide: number;
  /** No coordinates at all. */
  readonly nowhere: number;
  /** Every backend the same, so that all share. */
  readonly equal: number;
  /** To take a new report of one backend. */
  readonly update: number;
}

export function measureResource(backends: number): ResourceResult {
  const chance = FastRandom.from([0.1, 0.2, 0.3, 0.4]);
  const various = tableOf(Array.from({ length: backends }, (_, row) => backend(row, chance)));
  const equal = tableOf(Array.from({ length: backends }, (_, row) => backend(row, { next: () => 0.5 })));
  const clients = Array.from({ length: CLIENTS }, () => request(pointBy(chance), chance.next()));
  const nowhere = clients.map((client) => ({ ...client, from: undefined }));
  const decide = (table: ResourceTable, requests: typeof clients): number => {
    let turn = 0;
    return nanoseconds(() => {
      if (table.choose(requests[turn++ % CLIENTS]!) === -1) throw new Error('nobody was chosen');
    });
  };
  const fresh = various.rows.map((each) => ({ ...each }));
  let turn = 0;
  return {
    worldwide: decide(various, clients),
    nowhere: decide(various, nowhere),
    equal: decide(equal, clients),
    update: nanoseconds(() => {
      const row = turn++ % backends;
      various.update(row, fresh[row]!);
    }),
  };
}

function tableOf(backends: readonly ResourceBackend[]): ResourceTable {
  const table = new ResourceTable([TIER], DEFAULT_SCORING);
  table.reset(backends);
  return table;
}

function request(from: SpherePoint | undefined, chance: number) {
  return { tier: 0, from, chance, without: [] };
}

function backend(row: number, chance: Uniform): ResourceBackend {
  return { ...machineBy(chance), id: `b${row}`, weight: 1, barred: 'ok' };
}
