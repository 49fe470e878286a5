import { type ClientHttp2Session, connect } from 'node:http2';
import { type Random } from '@usher/ports';
import { seededRandom } from '@usher/testing';
import type { Report } from '../soak/report.ts';
import { type Ending, Line } from './client/line.ts';
import { type Fault, FaultProxy } from './fault-proxy.ts';
import type { ChaosOptions } from './main.ts';
import { SoloUsher } from './solo-usher.ts';

const REQUESTS = 100_000;
const QUICK_REQUESTS = 3_000;
const CLIENTS = 48;
const LIMIT_MS = 10_000;
const BODY = 'once';
/** How a POST comes in, and in what it goes on. */
const LEGS = {
  'HTTP/1.1': ['wire', 'plugin', 'HTTP/2'],
  'HTTP/2': ['wire', 'HTTP/2'],
} as const;
const LEG_COUNT = Object.values(LEGS).flat().length;
type Way = (typeof LEGS)['HTTP/1.1'][number];

/** POSTs over connections to the backends that fail in every way: none of them is executed twice. */
export async function chaos(report: Report, { quick, only = '' }: ChaosOptions): Promise<void> {
  const each = Math.ceil((quick ? QUICK_REQUESTS : REQUESTS) / LEG_COUNT);
  for (const [protocol, ways] of Object.entries(LEGS)) {
    const name = `to backends in ${protocol}`;
    if (name.includes(only)) await postThrough(report, name, ways, { each, http2: protocol === 'HTTP/2' });
  }
}

interface Load {
  /** Requests of each way. */
  readonly each: number;
  readonly http2: boolean;
}

async function postThrough(report: Report, name: string, ways: readonly Way[], load: Load): Promise<void> {
  const random = seededRandom(7);
  const proxies: FaultProxy[] = [];
  const solo = await SoloUsher.start({
    ...(load.http2 ? { protocol: 'http2' } : {}),
    pool: `http2: ${load.http2}
    health: { type: none }
    breaker: { enabled: false }
    retry: { attempts: 3, budget: 100% }`,
    policy: 'timeouts: { response: 250ms, response_idle: 500ms }',
    plugins: !load.http2,
    through: async (ports) => {
      for (const port of ports) proxies.push(await FaultProxy.start(port, () => drawFault(random)));
      return proxies.map(({ port }) => port);
    },
  });
  await solo.usher.eligible('b0', 'b1', 'b2');
  let next = 0;
  for (const [place, way] of ways.entries()) {
    const until = load.each * (place + 1);
    const endings = new Map<Ending, number>();
    const client = async (): Promise<void> => {
      const poster = way === 'HTTP/2' ? new Http2Poster(solo.port) : new LinePoster(solo.port, way);
      while (next < until) {
        const ending = await poster.post(`r${next++}`);
        endings.set(ending, (endings.get(ending) ?? 0) + 1);
      }
      poster.close();
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const all = [...endings.values()].reduce((sum, count) => sum + count, 0);
    const ok = endings.get(200) ?? 0;
    report.add(`${way} ${name}: requests`, all, '');
    report.add(`${way} ${name}: answered with 200`, ok, '', { min: Math.ceil(all / 10) });
    report.add(`${way} ${name}: failed`, all - ok, '', { min: Math.ceil(all / 100) });
  }
  const { ids, repeated } = await solo.backends.counts();
  report.add(`${name}: different ones that they got`, ids, '', { min: 1, max: load.each * ways.length });
  report.add(`${name}: executed twice`, repeated, '', { max: 0 });
  await solo.stop();
  for (const proxy of proxies) proxy.stop();
}

/** A few requests long, most of them; what breaks them lies anywhere, also between two answers. */
function drawFault(random: Random): Fault {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const by = (['reset', 'end', 'end', 'reset', 'silence'] as const)[below(5)]!;
  switch (below(5)) {
    case 0:
      return { refuse: true };
    case 1:
      return { bytesUpMax: 1 + below(1_500), by };
    case 2:
      return { bytesDownMax: 1 + below(1_500), by };
    case 3:
      return { bytesDownMax: 1 + below(1_500), by, delayMs: below(4) };
    default:
      return { bytesUpMax: 4_000 };
  }
}

interface Poster {
  post(id: string): Promise<Ending>;
  close(): void;
}

class LinePoster implements Poster {
  readonly #port: number;
  readonly #path: string;
  #line: Line | undefined;

  constructor(port: number, way: Way) {
    this.#port = port;
    this.#path = way === 'plugin' ? '/plugin/' : '/';
  }

  async post(id: string): Promise<Ending> {
    if (this.#line?.open !== true) this.#line = new Line(this.#port);
    const head = `POST ${this.#path} HTTP/1.1\r\nhost: chaos\r\nx-id: ${id}\r\ncontent-length: ${BODY.length}\r\n\r\n`;
    return await this.#line.ask(head + BODY, LIMIT_MS);
  }

  close(): void {
    this.#line?.close();
  }
}

class Http2Poster implements Poster {
  readonly #url: string;
  #session: ClientHttp2Session | undefined;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}`;
  }

  post(id: string): Promise<Ending> {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.#url);
      this.#session.on('error', () => {});
    }
    const stream = this.#session.request({ ':method': 'POST', ':path': '/', 'x-id': id });
    const { promise, resolve } = Promise.withResolvers<Ending>();
    let ending: Ending = 'lost';
    stream.on('response', (headers) => {
      ending = headers[':status'] ?? 'lost';
    });
    stream.on('error', () => {});
    stream.on('close', () => resolve(ending));
    stream.resume();
    stream.end(BODY);
    return promise;
  }

  close(): void {
    this.#session?.close();
  }
}
