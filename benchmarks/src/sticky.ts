import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { StickySettings } from '@usher/domain';
import { parseRequestHead, RequestHead } from '@usher/http1';
import { sessionIdOf } from '@usher/runtime';
import { openEmbeddedStore } from '@usher/state-store';
import { wallClock } from '@usher/testing';
import { SessionBook } from '../../services/gateway/src/control/session-book.ts';
import type { PoolTable } from '../../services/gateway/src/routing-table.ts';
import { CookieSessions } from '../../services/gateway/src/sticky/cookie-sessions.ts';
import { StoreAsks } from '../../services/gateway/src/sticky/store-asks.ts';
import { WorkerTable } from '../../services/gateway/src/table/worker-table.ts';
import { policy, pool, row } from '../../services/gateway/src/testing/fixtures.ts';
import { tableOptions } from '../../services/gateway/src/testing/table-options.ts';
import { PeerDirectory } from '../../services/gateway/src/wire/peer.ts';
import { medianOfRounds, roundNs, usedBytes } from './measure.ts';
import { UsageError } from './usage-error.ts';

const BACKENDS = 100;
const SESSIONS = 2048;
const IDS = 10_000_000;
const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;
const SECRETS = ['a secret of the benchmark'];

const span = { ttlMs: 24 * HOUR_MS, idleMs: HOUR_MS, affinity: true };
const BY_COOKIE: StickySettings = {
  by: 'cookie',
  name: 'usher',
  path: '/',
  sameSite: 'lax',
  secure: 'auto',
  keys: [],
  ...span,
};
const BY_HEADER: StickySettings = { by: 'header', name: 'x-user', fallback: 'none', ...span };
const BY_IP: StickySettings = { by: 'ip', ...span };

const peers = new PeerDirectory();

/** Nanoseconds of a decision that a worker can make at once, and the memory that clients can make the gateway use. */
export async function run(args: readonly string[]): Promise<void> {
  const ids = readIds(args);
  report('a session by cookie, known', cookieKnown());
  report('a session by cookie, verified', cookieVerified());
  report('a session by cookie, refused', cookieRefused());
  report('a session by cookie, begun', cookieBegun());
  report('a session by header, known', sharedKnown(BY_HEADER));
  report('a session by IPv4 address, known', sharedKnown(BY_IP));
  await workerMemory(ids);
  bookMemory(ids);
  await storeMemory(ids);
}

function readIds(args: readonly string[]): number {
  try {
    const { values } = parseArgs({ args: [...args], options: { ids: { type: 'string' } } });
    return Number(values.ids ?? IDS);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function report(what: string, ns: number): void {
  console.log(`${what.padEnd(36)} ${ns.toFixed(0).padStart(6)} ns`);
}

/** A worker's table whose store answers each question with what was wanted, as soon as it is asked. */
function tableWith(sticky: StickySettings): PoolTable {
  const asks: StoreAsks = new StoreAsks((id, { want }) => {
    const backend = want.kind === 'look' ? undefined : want.to;
    queueMicrotask(() => asks.answered(id, { away: false, backend, common: true }));
  }, Date.now);
  const table = new WorkerTable(tableOptions(0.5, { asks }));
  const rows = Array.from({ length: BACKENDS }, (_, index) => row(`backend-${index}`));
  const backends = rows.map((each) => ({ kind: 'backend', row: each }) as const);
  table.apply(
    [
      { kind: 'policy', policy: policy() },
      { kind: 'pool', settings: pool({ sticky }) },
      ...backends,
      { kind: 'sticky_secrets', pool: 'web', secrets: SECRETS },
    ],
    1,
    Date.now(),
  );
  return table.match('any', '/')!.pool;
}

/** What a browser sends, and these lines. */
function headBytes(lines: string): Buffer {
  return Buffer.from(
    'GET /shop/item?id=17 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n' +
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: text/html,*/*;q=0.8\r\n' +
      'Accept-Language: en-GB,en;q=0.7\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: https://www.example.com/\r\n' +
      `Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n${lines}Cache-Control: max-age=0\r\n\r\n`,
    'latin1',
  );
}

/** As in a worker, all heads are read into the same one. */
const head = new RequestHead();
const { limits } = policy();

function read(bytes: Buffer): RequestHead {
  if (parseRequestHead(bytes, bytes.length, limits, head) !== bytes.length) throw new Error('not a head');
  return head;
}

const client = { address: '10.1.2.3', trusted: false, scheme: 'https' } as const;

/** A pair as a client that began a session sends it back. */
function begin(table: PoolTable, number: number): string {
  const visit = table.sticky!.visitHead(read(headBytes('')), client, peers)!;
  visit.began(table.slots[number % BACKENDS]!);
  const set = visit.setCookie();
  return set.slice(0, set.indexOf(';'));
}

function cookieHeads(table: PoolTable, change = (pair: string) => pair): Buffer[] {
  return Array.from({ length: SESSIONS }, (_, number) =>
    headBytes(`Cookie: theme=dark; ${change(begin(table, number))}; consent=yes\r\n`),
  );
}

/** What deciding takes of a request whose head has been read: rounds of both and of reading alone take turns. */
function beyondReading(
  heads: readonly Buffer[],
  decide: (read: RequestHead, number: number) => void,
): number {
  let at = 0;
  const reading = (): void => void read(heads[++at % SESSIONS]!);
  const both = (): void => {
    const number = ++at % SESSIONS;
    decide(read(heads[number]!), number);
  };
  return medianOfRounds(() => -roundNs(reading) + roundNs(both));
}

function find(table: PoolTable): (read: RequestHead) => void {
  return (request) => {
    const visit = table.sticky!.visitHead(request, client, peers);
    if (visit?.preferred([]) === undefined) throw new Error('the session was not known');
  };
}

function cookieKnown(): number {
  const table = tableWith(BY_COOKIE);
  return beyondReading(cookieHeads(table), find(table));
}

function cookieVerified(): number {
  const table = tableWith(BY_COOKIE);
  const { sticky } = table;
  const decide = find(table);
  return beyondReading(cookieHeads(table), (request, number) => {
    if (number === 0 && sticky instanceof CookieSessions) sticky.setSecrets(SECRETS);
    decide(request);
  });
}

function cookieRefused(): number {
  const table = tableWith(BY_COOKIE);
  const heads = cookieHeads(
    table,
    (pair) => `${pair.slice(0, -2)}${pair.at(-2) === 'A' ? 'B' : 'A'}${pair.at(-1)}`,
  );
  return beyondReading(heads, (request) => void table.sticky!.visitHead(request, client, peers));
}

function cookieBegun(): number {
  const table = tableWith(BY_COOKIE);
  const heads = Array.from({ length: SESSIONS }, () => headBytes('Cookie: theme=dark\r\n'));
  return beyondReading(heads, (request, number) => {
    const visit = table.sticky!.visitHead(request, client, peers)!;
    visit.began(table.slots[number % BACKENDS]!);
    if (visit.setCookie() === '') throw new Error('there is no cookie');
  });
}

function sharedKnown(settings: StickySettings): number {
  const table = tableWith(settings);
  const heads = Array.from({ length: SESSIONS }, (_, number) => headBytes(`X-User: user-${number}\r\n`));
  const clients = heads.map((_, number) => ({ ...client, address: `10.0.${number >> 8}.${number & 255}` }));
  const visit = (request: RequestHead, number: number) =>
    table.sticky!.visitHead(request, clients[number]!, peers)!;
  for (const [number, bytes] of heads.entries())
    visit(read(bytes), number).began(table.slots[number % BACKENDS]!);
  return beyondReading(heads, (request, number) => {
    if (visit(request, number).preferred([]) === undefined) throw new Error('the session was not known');
  });
}

function reportMemory(what: string, ids: number, bytes: number): void {
  const rss = process.memoryUsage().rss / MIB;
  console.log(
    `${what.padEnd(36)} ${(bytes / MIB).toFixed(1).padStart(6)} MiB after ${ids.toLocaleString('en')} ids (${rss.toFixed(0)} MiB resident)`,
  );
}

async function workerMemory(ids: number): Promise<void> {
  const table = tableWith(BY_HEADER);
  const before = usedBytes();
  const { sticky, slots } = table;
  const message = new IncomingMessage(new Socket());
  for (let number = 0; number < ids; number++) {
    message.rawHeaders = ['X-User', `user-${number}`];
    sticky!.visitMessage(message, client, peers)!.began(slots[number % BACKENDS]!);
    // The answers of the store.
    if (number % 1024 === 0) await Promise.resolve();
  }
  reportMemory('a worker, by header', ids, usedBytes() - before);
  if (sticky?.counts.begun !== ids) throw new Error('not every id began a session');
}

function bookMemory(ids: number): void {
  const before = usedBytes();
  const book = new SessionBook(wallClock);
  for (let number = 0; number < ids; number++) {
    book.learn('web', sessionIdOf('header', `user-${number}`), `backend-${number % BACKENDS}`);
    if (number % 1024 === 0) book.takeNews();
  }
  book.takeNews();
  reportMemory('a gateway’s book of sessions', ids, usedBytes() - before);
}

async function storeMemory(ids: number): Promise<void> {
  const before = usedBytes();
  const store = openEmbeddedStore({ clock: wallClock });
  for (let number = 0; number < ids; number++) {
    const id = sessionIdOf('header', `user-${number}`);
    await store.sticky.assign({ pool: 'web', id, backend: `backend-${number % BACKENDS}`, ...span });
  }
  reportMemory('the embedded store', ids, usedBytes() - before);
  await store.close();
}
