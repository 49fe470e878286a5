import { NO_FEATURES } from '@usher/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BackendSlot } from '../routing-table.ts';
import { limitOf, policy, pool, row } from '../testing/fixtures.ts';
import { tableOptions } from '../testing/table-options.ts';
import { until } from '../wire/testing/raw-socket.ts';
import { giveBackOf } from './backend-limit.ts';
import { LineWait } from './line-wait.ts';
import type { RowLimit } from './row-limit.ts';
import { forgetWaitersOf, newLineCells } from './waiting-line.ts';
import { WorkerTable } from './worker-table.ts';

/** A request in one of the workers. */
interface Request {
  readonly worker: number;
  readonly wait: LineWait;
  state: 'new' | 'waiting' | 'running' | 'over';
  slot: BackendSlot | undefined;
}

/** The workers of one gateway, all in this thread but with nothing in common than what real ones share. */
class Workers {
  readonly limits: RowLimit[];
  readonly #tables: WorkerTable[];
  /** Everyone who waits, the longest first. */
  readonly line: Request[] = [];
  readonly running: Request[] = [];
  /** Who was let in although somebody had waited longer. */
  overtakings = 0;

  constructor(count: number, maxima: readonly number[], queueMax = 1000) {
    const line = newLineCells(count);
    this.limits = maxima.map((max) => limitOf(max, count, line));
    this.#tables = Array.from({ length: count }, (_, worker) => {
      const table = new WorkerTable(tableOptions(0.4, { worker }));
      const rows = this.limits.map(
        (limit, at) => ({ kind: 'backend', row: row(`b${at}`, { limit }) }) as const,
      );
      const settings = pool({ queue: { max: queueMax, timeoutMs: 1_000 } });
      table.apply([{ kind: 'pool', settings }, ...rows, { kind: 'policy', policy: policy() }], 1, 0);
      return table;
    });
  }

  poolOf(worker: number) {
    return this.#tables[worker]!.match('', '/')!.pool;
  }

  /** Of each backend, as the workers count themselves. */
  get inFlight(): number[] {
    return this.limits.map((_, at) =>
      this.#tables.reduce((sum, _table, worker) => sum + this.poolOf(worker).slots[at]!.inFlight, 0),
    );
  }

  ask(worker: number): Request {
    const table = this.#tables[worker]!;
    const own = this.poolOf(worker);
    const run = (slot: BackendSlot): void => {
      const at = this.line.indexOf(request);
      if (at > 0) this.overtakings += 1;
      if (at >= 0) this.line.splice(at, 1);
      request.slot = slot;
      request.state = 'running';
      this.running.push(request);
    };
    const wait = new LineWait(
      own,
      NO_FEATURES,
      { onRoom: run, onNoRoom: () => this.#leave(request) },
      () => 0,
    );
    const request: Request = { worker, wait, state: 'new', slot: undefined };
    const slot = table.pick(own, [], NO_FEATURES);
    if (slot !== undefined && table.begin(slot)) {
      run(slot);
      return request;
    }
    this.line.push(request);
    request.state = 'waiting';
    wait.begin();
    return request;
  }

  finish(request: Request): void {
    this.running.splice(this.running.indexOf(request), 1);
    request.state = 'over';
    const { worker, slot } = request;
    this.#tables[worker]!.finish(this.poolOf(worker), slot!, 'ok', 0, 0);
  }

  abandon(request: Request): void {
    this.#leave(request);
    request.wait.leave();
  }

  #leave(request: Request): void {
    const at = this.line.indexOf(request);
    if (at >= 0) this.line.splice(at, 1);
    request.state = 'over';
  }

  die(worker: number): void {
    for (const limit of this.limits) {
      giveBackOf(worker, limit.cells);
      forgetWaitersOf(worker, limit.line);
    }
  }

  tick(worker: number): void {
    this.#tables[worker]!.tick(0);
  }
}

const step = fc.record({
  do: fc.constantFrom('ask', 'ask', 'ask', 'finish', 'finish', 'leave', 'pause'),
  who: fc.nat(1_000),
});

test('never more are under way than the limits allow, all are served in order, and nobody is forgotten', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      fc.array(step, { maxLength: 120 }),
      async (count, maxima, steps) => {
        const workers = new Workers(count, maxima);
        for (const { do: what, who } of steps) {
          if (what === 'ask') workers.ask(who % count);
          else if (what === 'finish' && workers.running.length > 0) {
            workers.finish(workers.running[who % workers.running.length]!);
          } else if (what === 'leave' && workers.line.length > 0) {
            workers.abandon(workers.line[who % workers.line.length]!);
          } else if (what === 'pause') await new Promise((resolve) => setImmediate(resolve));
          for (const [at, under] of workers.inFlight.entries()) {
            expect(under).toBeLessThanOrEqual(maxima[at]!);
          }
        }
        // No request comes any more, and no look at the clock helps: the bell alone has to reach everyone.
        await until(() => {
          for (const request of workers.running.slice()) workers.finish(request);
          return workers.line.length === 0 && workers.running.length === 0;
        }, 'everyone served');
        expect(workers.overtakings).toBe(0);
        expect(workers.inFlight).toEqual(maxima.map(() => 0));
        for (let worker = 0; worker < count; worker++) {
          expect(workers.poolOf(worker).line?.counts.waiting).toBe(0);
        }
      },
    ),
    { numRuns: 300 },
  );
}, 60_000);

test('the places of a line are shared by all workers', () => {
  const workers = new Workers(2, [1], 2);
  const requests = [0, 0, 1, 0, 1].map((worker) => workers.ask(worker).state);
  expect(requests).toEqual(['running', 'waiting', 'waiting', 'over', 'over']);
});

test('a worker that dies leaves nothing behind: neither what it had under way nor who waited in it', () => {
  const workers = new Workers(2, [1]);
  workers.ask(0);
  workers.ask(0);
  const other = workers.ask(1);
  expect(other.state).toBe('waiting');
  workers.die(0);
  workers.tick(1);
  expect(other.state).toBe('running');
});
