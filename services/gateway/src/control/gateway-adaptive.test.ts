import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { until } from '../testing/http.ts';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const SERVERS = 3;
const SERVICE_MS = 20;
const CLIENTS = 40;

let limited: LimitedFleet;
beforeEach(() => {
  limited = new LimitedFleet();
});
afterEach(() => limited.close());

/** A backend that serves a few requests at a time, each for a while, and has the others wait. */
class BusyBackend {
  readonly #waiting: ServerResponse[] = [];
  #serving = 0;
  /** Requests that it has, and the most that it had since that was set to 0. */
  present = 0;
  most = 0;

  readonly handle: RequestListener = (request, response) => {
    request.resume();
    this.present += 1;
    this.most = Math.max(this.most, this.present);
    this.#waiting.push(response);
    this.#serve();
  };

  #serve(): void {
    while (this.#serving < SERVERS) {
      const response = this.#waiting.shift();
      if (response === undefined) return;
      this.#serving += 1;
      setTimeout(() => {
        this.#serving -= 1;
        this.present -= 1;
        response.end('ok');
        this.#serve();
      }, SERVICE_MS);
    }
  }
}

test('a backend whose answers slow down gets fewer requests at a time, the others wait, and all are served', async () => {
  const busy = new BusyBackend();
  const queue = { max: 1_000, timeoutMs: 20_000 };
  const settings = { adaptive: { min: 2, max: 100 }, queue };
  await limited.configure({ routes: bothLanes({}) }, settings, busy.handle);
  const port = await limited.gateway({ workers: 2 });
  const limit = () => limited.fleet.metrics.sum('usher_backend_concurrency_limit');
  await until(async () => (await limit()) === 20, 'it begins somewhere');
  const statuses = new Set<number>();
  const asking = new AbortController();
  const client = async (index: number) => {
    while (!asking.signal.aborted) statuses.add((await limited.ask(port, LANES[index % 4]!)).status);
  };
  // With little to do it is found out what an answer takes.
  for (let each = 0; each < 15; each++) await limited.ask(port, LANES[each % 4]!);
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(index));
  await until(async () => (await limit()) < 12, 'it is found out that it cannot take so many');
  await until(() => busy.present <= 12, 'those that were under way are answered');
  busy.most = 0;
  const before = limited.backend!.seen.length;
  await until(() => limited.backend!.seen.length > before + 60, 'it goes on');
  expect(busy.most).toBeLessThanOrEqual(20);
  expect(await limit()).toBeGreaterThanOrEqual(2);
  asking.abort();
  await Promise.all(clients);
  expect([...statuses]).toEqual([200]);
});

test('however fast the answers come, a backend has no more than `max` at a time', async () => {
  const busy = new BusyBackend();
  const settings = { adaptive: { min: 1, max: 2 }, queue: { max: 1_000, timeoutMs: 20_000 } };
  await limited.configure({ routes: bothLanes({}) }, settings, busy.handle);
  const port = await limited.gateway({ workers: 2 });
  const asked = Array.from({ length: 24 }, (_, index) => limited.ask(port, LANES[index % 4]!));
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(24).fill(200));
  expect(busy.most).toBe(2);
});
