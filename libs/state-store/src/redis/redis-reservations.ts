import { DIMENSIONS, type Dimension, type Resources } from '@usher/domain';
import type {
  GivenBack,
  HeldAllocation,
  PoolReservations,
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
    const { pool, allocation, owner, leaseMs, ttlMs, resources, candidates, session } = request;
    const answer = (await this.#run(RESERVE, keysOf(pool), [
      this.#serverRun(),
      allocation,
      owner,
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
        return { outcome: 'restoring', untilMs: Number(answer[1]) };
      case 'full':
        return { outcome: 'full', short: answer[1].map((each) => SHORT[each]!), expired: pairs(answer[2]) };
      case 'known':
        return { ...reserved(answer), known: true, expired: [] };
      case 'reserved': {
        const [, , , , expired, from, fromBackend] = answer;
        const movedFrom = from === '' ? undefined : { allocation: from, backend: fromBackend };
        return { ...reserved(answer), known: false, movedFrom, expired: pairs(expired) };
      }
    }
  }

  async release(pool: string, allocation: string): Promise<string | undefined> {
    const backend = (await this.#run(RELEASE, keysOf(pool), [allocation])) as string | null;
    return backend ?? undefined;
  }

  async renew(pool: string, owner: string, leaseMs: number): Promise<boolean> {
    return (await this.#run(RENEW, keysOf(pool), [this.#serverRun(), owner, leaseMs])) === 1;
  }

  async restore(request: RestoreRequest): Promise<RestoreResult> {
    const { pool, owner, leaseMs, allocations, underWay, gateways } = request;
    const texts = allocations.map(({ allocation, backend, ttlMs, resources, session }) =>
      [allocation, backend, ttlMs, ...amounts(resources), sessionText(session)].join(' '),
    );
    const [opens, added, given] = (await this.#run(RESTORE, keysOf(pool), [
      this.#serverRun(),
      owner,
      leaseMs,
      gateways.length,
      ...gateways,
      underWay.length,
      ...underWay,
      ...texts,
    ])) as [string, number, string[]];
    return { opensAtMs: Number(opens), added, givenBack: pairs(given) };
  }

  async sweep(pool: string, max: number): Promise<readonly GivenBack[]> {
    return pairs((await this.#run(SWEEP, keysOf(pool), [max])) as string[]);
  }

  async list(pool: string): Promise<PoolReservations> {
    const [held, used] = (await this.#run(LIST, keysOf(pool), [])) as [string[], string[]];
    return {
      allocations: fields(held).map(([allocation, record]) => heldAllocation(allocation, record)),
      used: new Map(
        fields(used).map(([backend, text]) => {
          const numbers = text.split(' ').map(Number);
          return [backend, { resources: resourcesOf(numbers), allocations: numbers[DIMENSIONS.length]! }];
        }),
      ),
    };
  }
}

type ReserveAnswer =
  | ['unknown']
  | ['restoring', string]
  | ['full', number[], string[]]
  | ['known', string, string, string]
  | ['reserved', string, string, string, string[], string, string];

function reserved([, allocation, backend, expires]: readonly [string, string, string, string, ...unknown[]]) {
  return { outcome: 'reserved', allocation, backend, expiresAtMs: Number(expires) } as const;
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

function heldAllocation(allocation: string, record: string): HeldAllocation {
  const [backend, owner, expires, ...rest] = record.split(' ');
  const numbers = rest.slice(0, DIMENSIONS.length).map(Number);
  const [tier, ...id] = rest.slice(DIMENSIONS.length);
  const session = tier === undefined || tier === '' ? undefined : { tier, id: id.join(' ') };
  return {
    allocation,
    backend: backend!,
    owner: owner!,
    resources: resourcesOf(numbers),
    expiresAtMs: Number(expires),
    session,
  };
}

function pairs(flat: readonly string[]): GivenBack[] {
  return fields(flat).map(([allocation, backend]) => ({ allocation, backend }));
}

function fields(flat: readonly string[]): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i]!, flat[i + 1]!]);
  return found;
}
