import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  DEFAULT_SCORING,
  NO_RESOURCES,
  onSphere,
  type Place,
  type ResourceBackend,
  ResourceTable,
} from '@usher/domain';

const BACKENDS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000];
const ROUNDS = 5;
const ROUND_US = 100_000;
/** Different clients, so that no decision is like the one before. */
const CLIENTS = 4096;
const GIB = 2 ** 30;

/** One measured row: nanoseconds per decision, the median of several rounds. */
export interface DecideResult {
  readonly backends: number;
  /** Clients and backends all over the Earth. */
  readonly worldwideNs: number;
  /** No coordinates at all. */
  readonly nowhereNs: number;
  /** Every backend the same, so that all share. */
  readonly equalNs: number;
  /** To take a new report of one backend. */
  readonly updateNs: number;
  /** Bytes of the heap that are still in use after 100,000 decisions and a collection. */
  readonly keptBytes: number;
}

/** Time of a decision by resources, for a tier with CPU and memory, from one backend to ten thousand. */
export async function run(): Promise<void> {
  console.log('backends  worldwide ns  nowhere ns  equal ns  update ns  kept bytes');
  for (const backends of BACKENDS) {
    const { worldwideNs, nowhereNs, equalNs, updateNs, keptBytes } = measureDecide(backends);
    const columns = [backends, worldwideNs, nowhereNs, equalNs, updateNs, keptBytes];
    console.log(
      columns.map((value, i) => String(Math.round(value)).padStart([8, 14, 12, 10, 11, 12][i]!)).join(''),
    );
  }
}

export function measureDecide(backends: number): DecideResult {
  const chance = congruential(backends);
  const various = tableOf(Array.from({ length: backends }, (_, row) => randomBackend(row, chance)));
  const equal = tableOf(Array.from({ length: backends }, (_, row) => ({ ...randomBackend(row, () => 0.5) })));
  const clients = Array.from({ length: CLIENTS }, () => request(randomPlace(chance), chance()));
  const nowhere = clients.map((client) => ({ ...client, from: undefined }));
  const decide = (table: ResourceTable, requests: typeof clients) =>
    medianNs((turn) => table.choose(requests[turn % CLIENTS]!));
  const fresh = various.rows.map((backend) => ({ ...backend }));
  return {
    backends,
    worldwideNs: decide(various, clients),
    nowhereNs: decide(various, nowhere),
    equalNs: decide(equal, clients),
    updateNs: medianNs((turn) => {
      various.update(turn % backends, fresh[turn % backends]!);
      return turn;
    }),
    keptBytes: keptBy(() => various.choose(clients[0]!)),
  };
}

function tableOf(backends: readonly ResourceBackend[]): ResourceTable {
  const need = { ...NO_RESOURCES, milliCpu: 2000, memoryBytes: 2 * GIB };
  const table = new ResourceTable([{ name: 'm', resources: need }], DEFAULT_SCORING);
  table.reset(backends);
  return table;
}

function request(place: Place, chance: number) {
  return { tier: 0, from: onSphere(place), chance, without: [] };
}

function randomBackend(row: number, chance: () => number): ResourceBackend {
  return {
    id: `b${row}`,
    weight: 1,
    barred: 'ok',
    place: randomPlace(chance),
    latencyMs: 20 * chance(),
    stats: {
      atMs: 0,
      coresPercent: Array.from({ length: 8 }, () => 100 * chance()),
      memoryUsedBytes: 24 * GIB * chance(),
      memoryTotalBytes: 32 * GIB,
      diskUsedBytes: GIB,
      diskTotalBytes: 100 * GIB,
      gpus: [],
    },
    stale: false,
    reserved: NO_RESOURCES,
    unreported: NO_RESOURCES,
  };
}

/** Even over the sphere. */
function randomPlace(chance: () => number): Place {
  return { latitude: (Math.asin(2 * chance() - 1) * 180) / Math.PI, longitude: 360 * chance() - 180 };
}

/** A multiplicative congruential generator; every run measures the same tables. */
function congruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function medianNs(work: (turn: number) => number): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => roundNs(work));
  // The first round warms up.
  return rounds.slice(1).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}

/** Processor time of this thread, not time of the clock: other programs on the machine do not count. */
function roundNs(work: (turn: number) => number): number {
  const start = process.threadCpuUsage();
  let spentUs = 0;
  let turns = 0;
  let sum = 0;
  while (spentUs < ROUND_US) {
    for (let i = 0; i < 256; i++) sum += work(turns++);
    const { user, system } = process.threadCpuUsage(start);
    spentUs = user + system;
  }
  if (Number.isNaN(sum)) throw new Error('decisions are numbers');
  return (spentUs * 1000) / turns;
}

function keptBy(decide: () => number): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 100_000; i++) decide();
  collect();
  return Math.max(0, process.memoryUsage().heapUsed - before);
}
