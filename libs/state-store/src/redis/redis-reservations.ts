import { DIMENSIONS, type Dimension, type Resources } from '@usher/domain';
import type {
  GivenBack,
  HeldAllocation,
  PoolReservations,
  RenewRequest,
  RenewResult,
  ReservationRequest,
  ReservationResult,
  Reservations,
  RestoreRequest,
  RestoreResult,
  Session,
} from '@usher/ports';
import { LIST, RELEASE, RENEW, RESERVATION_KEYS, RESERVE, RESTORE, SWEEP } from './reservation-scripts.ts';
import type { RunScript } from './run-script.ts';

/** By their numbers in the script's answer. */
const SHORT: readonly (Dimension | 'max')[] = [...DIMENSIONS, 'max'];

/** Reservations on Redis, each call one script. */
export class RedisReservations implements Reservations {
  readonly #run: RunScript;
  readonly #serverRun: () => string;

  /** `serverRun` names the run of the server: a pool that was opened in another run may lack what that one lost. */
  constructor(run: RunScript, serverRun: () => string) {
    this.#run = run;
    this.#serverRun = serverRun;
  }

  async reserve(request: ReservationRequest): Promise<ReservationResult> {
    const { pool, allocation, owner, told, leaseMs, ttlMs, resources, candidates, session } = request;
    const answer = (await this.#run(RESERVE, keysOf(pool), [
      this.#serverRun(),
      allocation,
      owner,
      told,
      leaseMs,
      ttlMs,
      sessionText(session),
      ...amounts(resources),
      ...candidates.map(({ backend, capacity, max }) => [backend, ...amounts(capacity), max].join(' ')),
    ])) as ReserveAnswer;
    switch (answer[0]) {
      case 'unknown':
        return { outcome: 'unknown' };
      case 'restoring':
        return { outcome: 'restoring', opensInMs: answer[1] };
      case 'full': {
        const [, run, short, expired] = answer;
        return { outcome: 'full', short: short.map((each) => SHORT[each]!), expired: given(run, expired) };
      }
      case 'known': {
        const held = resourcesOf(answer[6].split(' ').map(Number));
        return { ...reserved(answer), resources: held, known: true, expired: [] };
      }
      case 'reserved': {
        const [, , , , run, , expired, moved] = answer;
        const [movedFrom] = given(run, moved);
        return { ...reserved(answer), resources, known: false, movedFrom, expired: given(run, expired) };
      }
    }
  }

  async release(pool: string, owner: string, allocations: readonly string[]): Promise<readonly GivenBack[]> {
    const [run, released] = (await this.#run(RELEASE, keysOf(pool), [owner, ...allocations])) as Given;
    return given(run, released);
  }

  async renew({ pool, owner, told, leaseMs, allocations, ttlMs }: RenewRequest): Promise<RenewResult> {
    const args = [this.#serverRun(), owner, told, leaseMs, ttlMs, ...allocations];
    const missing = (await this.#run(RENEW, keysOf(pool), args)) as string[] | null;
    return missing === null ? { outcome: 'unknown' } : { outcome: 'renewed', missing };
  }

  async restore(request: RestoreRequest): Promise<RestoreResult> {
    const { pool, owner, told, after, leaseMs, allocations, underWay, gateways } = request;
    const texts = allocations.map(({ allocation, backend, ttlMs, resources, session }) =>
      [allocation, backend, ttlMs, ...amounts(resources), sessionText(session)].join(' '),
    );
    const answer = (await this.#run(RESTORE, keysOf(pool), [
      this.#serverRun(),
      owner,
      told,
      after,
      leaseMs,
      gateways.length,
      ...gateways,
      underWay.length,
      ...underWay,
      ...texts,
    ])) as RestoreAnswer;
    if (answer[0] === 'late') return { outcome: 'late', told: answer[1] };
    const [opensInMs, run, added, released] = answer;
    return {
      outcome: 'restored',
      opensInMs: Math.max(0, opensInMs),
      added: groups(added, 2).map(([allocation, step]) => ({
        allocation: String(allocation),
        at: { run: Number(run), step: Number(step) },
      })),
      givenBack: given(run, released),
    };
  }

  async sweep(pool: string, max: number): Promise<readonly GivenBack[]> {
    const [run, swept] = (await this.#run(SWEEP, keysOf(pool), [max])) as Given;
    return given(run, swept);
  }

  async list(pool: string): Promise<PoolReservations> {
    const [held, expiries, used] = (await this.#run(LIST, keysOf(pool), [])) as string[][];
    const expiresAtMs = new Map(groups(expiries!, 2).map(([allocation, ms]) => [allocation!, Number(ms)]));
    return {
      allocations: groups(held!, 2).map(([allocation, record]) =>
        heldAllocation(allocation!, record!, expiresAtMs.get(allocation!)!),
      ),
      used: new Map(
        groups(used!, 2).map(([backend, text]) => {
          const numbers = text!.split(' ').map(Number);
          return [backend!, { resources: resourcesOf(numbers), allocations: numbers[DIMENSIONS.length]! }];
        }),
      ),
    };
  }
}

/** Allocation, backend, step, allocation, … */
type Flat = readonly (string | number)[];
/** With when the run began. */
type Given = [run: string, flat: Flat];

type Placed = [allocation: string, backend: string, expires: string, run: string, step: number];
type ReserveAnswer =
  | ['unknown']
  | ['restoring', opensInMs: number]
  | ['full', run: string, short: number[], expired: Flat]
  | ['known', ...Placed, amounts: string]
  | ['reserved', ...Placed, expired: Flat, moved: Flat];

type RestoreAnswer = ['late', told: string] | [opensInMs: number, run: string, added: Flat, given: Flat];

function reserved([, allocation, backend, expires, run, step]: readonly [string, ...Placed, ...unknown[]]) {
  const at = { run: Number(run), step };
  return { outcome: 'reserved', allocation, backend, expiresAtMs: Number(expires), at } as const;
}

function keysOf(pool: string): readonly string[] {
  return RESERVATION_KEYS.map((key) => `usher:{${pool}}:${key}`);
}

function amounts(resources: Resources): number[] {
  return DIMENSIONS.map((dimension) => resources[dimension]);
}

function resourcesOf([
  milliCpu,
  memoryBytes,
  storageBytes,
  gpus,
  gpuMemoryBytes,
]: readonly number[]): Resources {
  return {
    milliCpu: milliCpu!,
    memoryBytes: memoryBytes!,
    storageBytes: storageBytes!,
    gpus: gpus!,
    gpuMemoryBytes: gpuMemoryBytes!,
  };
}

/** Tiers' names have no spaces, ids of sessions may. */
function sessionText(session: Session | undefined): string {
  return session === undefined ? '' : `${session.tier} ${session.id}`;
}

function heldAllocation(allocation: string, record: string, expiresAtMs: number): HeldAllocation {
  const [backend, owner, ...rest] = record.split(' ');
  const numbers = rest.slice(0, DIMENSIONS.length).map(Number);
  // Behind the amounts comes the step.
  const [tier, ...id] = rest.slice(DIMENSIONS.length + 1);
  const session = tier === undefined || tier === '' ? undefined : { tier, id: id.join(' ') };
  return {
    allocation,
    backend: backend!,
    owner: owner!,
    resources: resourcesOf(numbers),
    expiresAtMs,
    session,
  };
}

function given(run: string, flat: Flat): GivenBack[] {
  return groups(flat, 3).map(([allocation, backend, step]) => ({
    allocation: String(allocation),
    backend: String(backend),
    at: { run: Number(run), step: Number(step) },
  }));
}

function groups<T>(flat: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: flat.length / size }, (_, index) =>
    flat.slice(index * size, (index + 1) * size),
  );
}
