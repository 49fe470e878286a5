import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { makeCertificate, tempDir } from '@usher/testing';
import type { Report } from '../soak/report.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/wait.ts';
import { ChaosClient } from './chaos-client.ts';
import type { Sample } from './client/messages.ts';
import type { ChaosOptions } from './main.ts';
import { type OpenWebSockets, openWebSockets } from './open-web-sockets.ts';
import { SoloUsher } from './solo-usher.ts';

const CHANGES = 200;
const QUICK_CHANGES = 22;
const RATE_PER_S = 1_000;
const CLIENT_LIMIT_MS = 5_000;
const WEB_SOCKETS = 200;
const WARM_UP_MS = 3_000;
const NORMAL_MS = 10_000;
/** From one change to the next. */
const PACE_MS = 250;
const PATHS = ['/', '/plugin/'];
const PLUGIN = `export default async (app, { mark }) => {
  app.addHook('onSend', async (request, reply) => void reply.header('x-mark', mark));
};`;

/** One change, and the time until the next. In milliseconds since the epoch. */
interface Change {
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Everything that can change changes, one thing after the other, while requests and WebSockets go on. */
export async function chaos(report: Report, { quick }: ChaosOptions): Promise<void> {
  const stage = await Stage.start();
  const clients = PATHS.map((each) => stage.client(each));
  const sockets = await Promise.all(
    PATHS.map((each) => openWebSockets(stage.solo.port, each, WEB_SOCKETS / PATHS.length)),
  );
  for (const client of clients) client.go();
  await sleep(WARM_UP_MS);
  const normalMs = Date.now();
  await sleep(NORMAL_MS);
  const fromMs = Date.now();
  const made = await stage.change(quick ? QUICK_CHANGES : CHANGES);
  const samples = (await Promise.all(clients.map((client) => client.rest()))).flat();
  reportChanges(report, samples, made);
  reportRequests(report, samples, normalMs, fromMs);
  reportSockets(report, sockets);
  for (const client of clients) await client.stop();
  await stage.stop();
}

function reportChanges(report: Report, samples: readonly Sample[], made: readonly Change[]): void {
  for (const [kind, changes] of Map.groupBy(made, (change) => change.kind)) {
    const during = samples.filter(({ dueMs }) =>
      changes.some(({ fromMs, toMs }) => dueMs >= fromMs && dueMs < toMs),
    );
    report.add(`changes: ${kind}`, changes.length, '', { min: 1 });
    report.add(`p99 at that: ${kind}`, p99(during), 'ms');
  }
}

function reportRequests(report: Report, samples: readonly Sample[], normalMs: number, fromMs: number): void {
  report.add('requests', samples.length, '', { min: 1 });
  report.add('failed', samples.filter(({ ending }) => ending !== 200).length, '', { max: 0 });
  const normal = p99(samples.filter(({ dueMs }) => dueMs >= normalMs && dueMs < fromMs));
  report.add('p99 before', normal, 'ms');
  report.add('p99 while it changes', p99(samples.filter(({ dueMs }) => dueMs >= fromMs)), 'ms', {
    max: 1.5 * normal,
  });
}

function reportSockets(report: Report, sockets: readonly OpenWebSockets[]): void {
  const sum = (of: (each: OpenWebSockets) => number): number =>
    sockets.reduce((total, each) => total + of(each), 0);
  report.add(
    'WebSockets',
    sum(({ open }) => open),
    '',
    { min: WEB_SOCKETS },
  );
  report.add(
    'WebSockets that were closed',
    sum(({ closed }) => closed),
    '',
    { max: 0 },
  );
  for (const each of sockets) each.end();
}

/** One Usher process, and all that can be changed of it. */
class Stage {
  readonly solo: SoloUsher;
  readonly #tlsPort: number;
  readonly #folder: string;
  readonly #remove: () => void;
  /** The text of its configuration file at first. */
  readonly #config: string;

  private constructor(solo: SoloUsher, tlsPort: number, folder: string, remove: () => void) {
    this.solo = solo;
    this.#tlsPort = tlsPort;
    this.#folder = folder;
    this.#remove = remove;
    this.#config = readFileSync(solo.usher.configFile, 'utf8');
  }

  static async start(): Promise<Stage> {
    const directory = tempDir();
    const folder = directory.path;
    writeCertificate(folder, 0);
    writeFileSync(path.join(folder, 'mark.mjs'), PLUGIN);
    const tlsPort = await freePort();
    const tls = `{ certificates: [{ cert: "${folder}/cert.pem", key: "${folder}/key.pem" }] }`;
    const solo = await SoloUsher.start({
      backends: 4,
      // The last is for later.
      through: async (ports) => ports.slice(0, 3),
      listen: (port) => `["127.0.0.1:${port}", { address: "127.0.0.1:${tlsPort}", tls: ${tls} }]`,
    });
    await solo.usher.eligible('b0', 'b1', 'b2');
    return new Stage(solo, tlsPort, folder, () => directory.remove());
  }

  client(of: string): ChaosClient {
    const { traffic, metrics } = this.solo.usher.ports;
    return new ChaosClient({
      gateways: [{ port: traffic, healthPort: metrics }],
      ratePerS: RATE_PER_S / PATHS.length,
      path: of,
      limitMs: CLIENT_LIMIT_MS,
    });
  }

  async stop(): Promise<void> {
    await this.solo.stop();
    this.#remove();
  }

  async change(times: number): Promise<readonly Change[]> {
    const made: Change[] = [];
    const kinds = Object.entries(this.#kinds);
    for (let done = 0; done < times; done++) {
      const [kind, act] = kinds[done % kinds.length]!;
      const fromMs = Date.now();
      await act(Math.floor(done / kinds.length));
      await sleep(Math.max(0, fromMs + PACE_MS - Date.now()));
      made.push({ kind, fromMs, toMs: Date.now() });
    }
    return made;
  }

  /** Each is told how often it was done before. */
  readonly #kinds: Readonly<Record<string, (turn: number) => Promise<void>>> = {
    'a backend added': async (turn) => {
      const port = this.solo.backends.ports.at(-1);
      await this.#ask('POST', '/v1/backends', {
        id: `extra-${turn}`,
        pool: 'web',
        url: `http://127.0.0.1:${port}`,
      });
      await until('it may get requests', async () => await this.#isEligible(`extra-${turn}`));
    },
    'a weight': async (turn) => this.#ask('PATCH', '/v1/backends/b1', { weight: 2 + (turn % 5) }),
    'the strategy': async (turn) => {
      const strategies = ['round_robin', 'least_connections', 'ip_hash', 'peak_ewma', 'p2c'];
      await this.#ask('POST', '/v1/pools/web/strategy', { strategy: strategies[turn % strategies.length] });
    },
    'a backend drained': async () => this.#ask('POST', '/v1/backends/b2/drain'),
    'a route added': async (turn) =>
      this.#ask('POST', '/v1/routes', { id: `r${turn}`, path: `/r${turn}/*`, pool: 'web' }),
    'a backend enabled': async () => this.#ask('POST', '/v1/backends/b2/enable'),
    'a limit': async (turn) => this.#ask('PATCH', '/v1/limits', { connections: 20_001 + turn }),
    'a route changed': async (turn) => this.#ask('PATCH', `/v1/routes/r${turn}`, { path: `/other${turn}/*` }),
    'a plugin by the file': async (turn) => {
      const own = `{ name: mark, file: "${this.#folder}/mark.mjs", mark: m${turn} }`;
      const text = this.#config.replace('plugins: [{ name: gzip }]', `plugins: [{ name: gzip }, ${own}]`);
      writeFileSync(this.solo.usher.configFile, text);
      await until('the plugin is at work', async () => (await this.#mark()) === `m${turn}`);
    },
    'a certificate': async (turn) => {
      const serial = turn + 1;
      writeCertificate(this.#folder, serial);
      await until('it is shown', async () => (await this.#shown()) === `c${serial}`);
    },
    'a backend removed': async (turn) => this.#ask('DELETE', `/v1/backends/extra-${turn}`),
  };

  async #ask(method: string, url: string, body: object = {}): Promise<void> {
    const response = await fetch(`${this.solo.usher.admin}${url}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  }

  async #isEligible(backend: string): Promise<boolean> {
    const response = await fetch(`${this.solo.usher.admin}/v1/backends/${backend}`);
    return ((await response.json()) as { eligibility?: string }).eligibility === 'ok';
  }

  async #mark(): Promise<string | null> {
    const response = await fetch(`http://127.0.0.1:${this.solo.port}/plugin/`);
    await response.arrayBuffer();
    return response.headers.get('x-mark');
  }

  /** The common name of the certificate that clients see. */
  async #shown(): Promise<string | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const socket = connect({ host: '127.0.0.1', port: this.#tlsPort, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
    return await promise;
  }
}

function writeCertificate(folder: string, serial: number): void {
  const { cert, key } = makeCertificate({ commonName: `c${serial}`, names: ['localhost'] });
  writeFileSync(path.join(folder, 'key.pem'), key);
  writeFileSync(path.join(folder, 'cert.pem'), cert);
}

function p99(samples: readonly Sample[]): number {
  const sorted = samples
    .flatMap(({ heldUp, latencyMs }) => (heldUp ? [] : [latencyMs]))
    .toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}
