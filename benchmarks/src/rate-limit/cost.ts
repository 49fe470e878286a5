import type { RateLimitSettings } from '@usher/domain';
import { parseRequestHead, RequestHead } from '@usher/http1';
import { Admission } from '../../../services/gateway/src/admission/admission.ts';
import { RateAsks } from '../../../services/gateway/src/rate/rate-asks.ts';
import { RateCells } from '../../../services/gateway/src/rate/rate-cells.ts';
import { rateKeyOfHead } from '../../../services/gateway/src/rate/rate-key.ts';
import { RateLimiter } from '../../../services/gateway/src/rate/rate-limiter.ts';
import { rateLines } from '../../../services/gateway/src/rate/rate-ticket.ts';
import type { RouteEntry } from '../../../services/gateway/src/routing-table.ts';
import { WorkerTable } from '../../../services/gateway/src/table/worker-table.ts';
import { policy, pool, route } from '../../../services/gateway/src/testing/fixtures.ts';
import { tableOptions } from '../../../services/gateway/src/testing/table-options.ts';
import { PeerDirectory } from '../../../services/gateway/src/wire/peer.ts';
import { nanoseconds } from '../measure.ts';

const CLIENTS = 2048;
const PLENTY: RateLimitSettings = {
  by: 'ip',
  scope: 'local',
  requests: 1_000_000,
  perMs: 1_000,
  burst: 1_000_000,
};
const SCARCE: RateLimitSettings = { ...PLENTY, requests: 1, perMs: 86_400_000, burst: 1 };

const peers = new PeerDirectory();
const bytes = Buffer.from(
  'GET / HTTP/1.1\r\nHost: example.com\r\nX-Key: k-123456\r\nAccept: */*\r\n\r\n',
  'latin1',
);
const head = new RequestHead();
parseRequestHead(bytes, bytes.length, policy().limits, head);

/** What a worker has that holds clients to one limit. */
export class Bench {
  readonly cells = new RateCells();
  readonly route: RouteEntry;
  readonly #admission: Admission;
  readonly #limiter: RateLimiter;

  constructor(rateLimit: RateLimitSettings) {
    const table = new WorkerTable(tableOptions(0.5));
    const settings = policy({ rateLimit, routes: [route({ id: 'all', path: '/*', pool: 'web' })] });
    table.apply(
      [
        { kind: 'pool', settings: pool() },
        { kind: 'policy', policy: settings },
      ],
      1,
      Date.now(),
    );
    this.cells.seed(4711);
    this.#limiter = new RateLimiter(this.cells, new RateAsks(() => {}, Date.now), Date.now);
    this.#admission = new Admission(this.#limiter);
    this.#admission.setRoutes(table.routes);
    this.route = table.routes[0]!;
  }

  /** All that a rate limit adds to a request, with the header lines of its answer. */
  request(address: string, nowMs: number): string {
    const { rule } = this.route;
    const peer = { address, trusted: false, scheme: 'http' } as const;
    const ticket = this.#limiter.take(rule!, rateKeyOfHead(head, rule!, peer, peers), nowMs);
    this.#admission.judge(this.route, ticket);
    return rateLines(ticket);
  }
}

const addressOf = (number: number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
const addresses = Array.from({ length: CLIENTS }, (_, number) => addressOf(number));

function known(bench: Bench): number {
  let at = 0;
  const nowMs = Date.now();
  return nanoseconds(() => void bench.request(addresses[++at % CLIENTS]!, nowMs));
}

function inHand(): number {
  const bench = new Bench({ ...PLENTY, scope: 'fleet' });
  const nowMs = Date.now();
  for (const address of addresses) {
    bench.request(address, nowMs);
    bench.cells.putInHand(bench.route.rule!.id, address, 2 ** 29, 0, 0, nowMs);
  }
  return known(bench);
}

function refused(): number {
  const bench = new Bench(SCARCE);
  for (const address of addresses) bench.request(address, Date.now());
  return known(bench);
}

/** Every request from another address. */
function flood(): number {
  const bench = new Bench(SCARCE);
  let at = 0;
  const nowMs = Date.now();
  return nanoseconds(() => void bench.request(addressOf(++at), nowMs));
}

/** Nanoseconds for each request, by what is asked. */
export function* costs(): Generator<readonly [what: string, ns: number]> {
  yield ['local, 2,048 addresses', known(new Bench(PLENTY))];
  yield ['local, by a header', known(new Bench({ ...PLENTY, by: 'header', name: 'x-key' }))];
  yield ['local, by route', known(new Bench({ ...PLENTY, by: 'route' }))];
  yield ['local, refused', refused()];
  yield ['local, each request from a new address', flood()];
  yield ['fleet, out of what is in hand', inHand()];
}
