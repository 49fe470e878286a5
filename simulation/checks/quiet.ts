import type { FleetState } from '@usher/domain';
import type { Operator } from '../fleet/operator.ts';
import type { SimulatedProcess } from '../fleet/process.ts';
import type { LogDisk } from '../parts/log-disk.ts';
import type { StoreServer } from '../parts/store-server.ts';
import type { Finding } from './findings.ts';
import type { Ledger } from './ledger.ts';

/** What there is to look at when all is quiet. */
export interface QuietFleet {
  readonly processes: readonly SimulatedProcess[];
  readonly operator: Operator;
  readonly disk: LogDisk;
  readonly storeServer: StoreServer;
  readonly ledger: Ledger;
  readonly reservingPools: readonly string[];
}

/** What is not as it must be some time after the last fault and the last request. */
export async function* checkQuiet(fleet: QuietFleet): AsyncGenerator<Finding> {
  yield* checkProjections(fleet);
  yield* checkTables(fleet);
  yield* checkLiveness(fleet);
  yield* checkUnderWay(fleet);
  yield* checkGivenBack(fleet);
}

function* checkProjections({ processes, disk }: QuietFleet): Generator<Finding> {
  const invariant = 'all projections are equal after quiet';
  const digests = new Map<string, string[]>();
  for (const { name, fold } of processes) {
    if (fold.position !== disk.durable)
      yield { invariant, detail: `${name} is at ${fold.position} of ${disk.durable}` };
    const digest = fold.digest();
    digests.set(digest, [...(digests.get(digest) ?? []), name]);
  }
  if (digests.size > 1)
    yield { invariant, detail: [...digests.values()].map((names) => names.join('=')).join(' differs from ') };
}

/** What workers choose from is what the state says: those that are active, well and behind no breaker. */
function* checkTables({ processes }: QuietFleet): Generator<Finding> {
  const invariant = 'all projections are equal after quiet';
  for (const { name, fold, workers } of processes) {
    const { backends } = fold.state;
    const expected = choosable(fold.state);
    // While the fleet tries a backend its workers take turns.
    const sure = (id: string): boolean => backends.get(id)?.breaker !== 'half_open';
    for (const [index, worker] of workers.filter(({ serving }) => serving).entries()) {
      const found = worker.table.choosable().filter(sure).toSorted().join();
      if (found !== expected)
        yield { invariant, detail: `worker ${index} of ${name} chooses from ${found}, not ${expected}` };
      const weights = [...worker.table.pools].flatMap(({ slots }) => slots);
      for (const { id, fullWeight } of weights) {
        const declared = fold.state.backends.get(id)?.settings.weight;
        if (fullWeight !== declared)
          yield {
            invariant,
            detail: `worker ${index} of ${name}: ${id} weighs ${fullWeight}, not ${declared}`,
          };
      }
    }
  }
}

function choosable({ backends }: FleetState): string {
  const ids = [...backends].flatMap(([id, { lifecycle, health, breaker, settings }]) =>
    lifecycle === 'active' && health === 'healthy' && breaker === 'closed' && settings.weight > 0 ? [id] : [],
  );
  return ids.toSorted().join();
}

function* checkLiveness({ processes, operator }: QuietFleet): Generator<Finding> {
  const invariant = 'the fleet is well again after quiet';
  for (const { id, name, answer } of operator.issued)
    if (answer === undefined) yield { invariant, detail: `${id} ${name} was never answered` };
  for (const { name, fold, services, workers } of processes) {
    for (const [id, { health, breaker, lifecycle }] of fold.state.backends) {
      if (health !== 'healthy') yield { invariant, detail: `${id} is ${health} for ${name}` };
      if (breaker === 'open') yield { invariant, detail: `the breaker of ${id} is open for ${name}` };
      if (lifecycle === 'draining') yield { invariant, detail: `${id} still drains for ${name}` };
    }
    for (const { name: gateway, services: has } of processes)
      if (has.includes('gateway') && fold.state.gateways.get(gateway)?.running !== true)
        yield { invariant, detail: `${gateway} does not run for ${name}` };
    if (services.includes('gateway') && !workers.some(({ serving }) => serving))
      yield { invariant, detail: `${name} has no worker` };
  }
}

function* checkUnderWay({ processes, ledger }: QuietFleet): Generator<Finding> {
  const invariant = 'nothing is under way less than zero times';
  if (ledger.size > 0) yield { invariant, detail: `${ledger.size} requests never ended` };
  for (const { name, workers } of processes) {
    for (const worker of workers.filter(({ serving }) => serving))
      for (const { slots } of worker.table.pools)
        for (const { id, own } of slots)
          if (own !== 0) yield { invariant, detail: `${name} counts ${own} on ${id} when all have ended` };
  }
}

async function* checkGivenBack({
  processes,
  storeServer,
  reservingPools,
}: QuietFleet): AsyncGenerator<Finding> {
  const invariant = 'what was reserved is given back';
  for (const pool of reservingPools) {
    const { allocations } = await storeServer.inner.reservations.list(pool);
    const [first] = allocations;
    if (first !== undefined)
      yield { invariant, detail: `the store has ${allocations.length}, as ${JSON.stringify(first)}` };
  }
  for (const [id, { allocations, reserved }] of processes[0]?.fold.state.backends ?? []) {
    if (allocations.size > 0 || reserved.milliCpu !== 0)
      yield {
        invariant,
        detail: `by the log ${id} has ${allocations.size} and ${reserved.milliCpu} milliCpu`,
      };
  }
}
