import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from '../soak/report.ts';
import { ChaosClient } from './chaos-client.ts';
import type { ChaosOptions } from './main.ts';
import { SoloUsher } from './solo-usher.ts';

const WRONG_TOKENS = 10_000;
const QUICK_WRONG_TOKENS = 2_000;
const GUESSER = fileURLToPath(new URL('./client/guesser.ts', import.meta.url));
/** Another address than that of the operator. */
const GUESSER_ADDRESS = '127.0.0.66';
const OPERATOR_EVERY_MS = 20;
const OPERATOR_P99_MAX_MS = 50;
const RATE_PER_S = 500;
const CLIENT_LIMIT_MS = 5_000;
const WARM_UP_MS = 3_000;
const NORMAL_MS = 10_000;
/** Pairs of guesses that are compared: one like the secret, one unlike it. */
const PAIRS = 3_000;
const QUICK_PAIRS = 300;
/** What is left of a mean's noise, in standard errors. */
const NOISE = 4;

/** Wrong tokens at full speed, while an operator reads and requests are proxied; and what the time of a refusal tells of the secret. */
export async function chaos(report: Report, { quick }: ChaosOptions): Promise<void> {
  const secret = randomBytes(32).toString('hex');
  const token = `{ name: ops, secret: ${secret}, role: admin }`;
  const solo = await SoloUsher.start({ backends: 2, adminKeys: `tokens: [${token}]` });
  await solo.usher.eligible('b0', 'b1');
  const { traffic, metrics, admin } = solo.usher.ports;
  const client = new ChaosClient({
    gateways: [{ port: traffic, healthPort: metrics }],
    ratePerS: RATE_PER_S,
    path: '/',
    limitMs: CLIENT_LIMIT_MS,
  });
  client.go();
  const operator = new Operator(admin, secret);
  await sleep(WARM_UP_MS);
  const normalMs = Date.now();
  await sleep(NORMAL_MS);
  const fromMs = Date.now();
  const answers = await flood(admin, quick ? QUICK_WRONG_TOKENS : WRONG_TOKENS);
  const toMs = Date.now();
  const reads = await operator.stop();
  const samples = await client.rest();
  const refused = (answers.get('401') ?? 0) + (answers.get('429') ?? 0);
  const all = [...answers.values()].reduce((sum, each) => sum + each, 0);
  report.add('wrong tokens', all, '', { min: quick ? QUICK_WRONG_TOKENS : WRONG_TOKENS });
  report.add('let in', all - refused, '', { max: 0 });
  report.add('wrong tokens a second', (all * 1000) / (toMs - fromMs), '/s');
  const read = (from: number, to: number) =>
    reads.filter(({ dueMs }) => dueMs >= from && dueMs < to).map(({ latencyMs }) => latencyMs);
  report.add('reads of the operator in the flood', read(fromMs, toMs).length, '', { min: 1 });
  report.add('reads that failed', reads.filter(({ status }) => status !== 200).length, '', { max: 0 });
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ] as const) {
    report.add(`operator's ${name} before`, quantile(read(normalMs, fromMs), share), 'ms');
    report.add(`operator's ${name} in the flood`, quantile(read(fromMs, toMs), share), 'ms', {
      max: OPERATOR_P99_MAX_MS,
    });
  }
  const proxied = (from: number, to: number) =>
    samples
      .filter(({ dueMs, heldUp }) => !heldUp && dueMs >= from && dueMs < to)
      .map(({ latencyMs }) => latencyMs);
  report.add('proxied requests that failed', samples.filter(({ ending }) => ending !== 200).length, '', {
    max: 0,
  });
  report.add('p99 of proxied requests before', quantile(proxied(normalMs, fromMs), 0.99), 'ms');
  report.add('p99 of proxied requests in the flood', quantile(proxied(fromMs, toMs), 0.99), 'ms');
  await client.stop();
  await solo.stop();
  await compareTimes(report, secret, quick ? QUICK_PAIRS : PAIRS);
}

/** Reads with the right token at a fixed pace, however long each takes. */
class Operator {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #reads: Promise<Answer & { readonly dueMs: number }>[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, secret: string) {
    this.#timer = setInterval(() => {
      const dueMs = Date.now();
      this.#reads.push(ask(port, secret, { agent: this.#agent }).then((answer) => ({ dueMs, ...answer })));
    }, OPERATOR_EVERY_MS);
  }

  async stop(): Promise<readonly (Answer & { readonly dueMs: number })[]> {
    clearInterval(this.#timer);
    const reads = await Promise.all(this.#reads);
    this.#agent.destroy();
    return reads;
  }
}

interface Answer {
  readonly status: number;
  readonly latencyMs: number;
}

/** One call of the admin API with a token. */
async function ask(port: number, token: string, { agent }: { readonly agent: Agent }): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${token}` };
  const startMs = performance.now();
  const asked = request({ host: '127.0.0.1', port, path: '/v1/status', agent, headers }, (answer) => {
    answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
  });
  asked.once('error', reject).end();
  const status = await promise;
  return { status, latencyMs: performance.now() - startMs };
}

/** How often each status came for so many wrong tokens, sent by a process of its own as fast as they are refused. */
async function flood(port: number, count: number): Promise<ReadonlyMap<string, number>> {
  const guesser = fork(GUESSER, [String(port), GUESSER_ADDRESS, String(count)]);
  const [statuses] = (await once(guesser, 'message')) as [Record<string, number>];
  guesser.kill();
  return new Map(Object.entries(statuses));
}

/** How much longer a token is refused that is the secret but for its last letter than one that has nothing of it. */
async function compareTimes(report: Report, secret: string, pairs: number): Promise<void> {
  const token = `{ name: ops, secret: ${secret}, role: admin }`;
  const solo = await SoloUsher.start({
    backends: 1,
    adminKeys: `limits: { requests_per_second: 1000000 }, tokens: [${token}]`,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const like = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0');
  const unlike = secret.replaceAll(/./g, (letter) => (letter === '0' ? '1' : '0'));
  const differences: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const time = async (wrong: string) => (await ask(solo.usher.ports.admin, wrong, { agent })).latencyMs;
    // Which comes first changes, or the second would always find a warmer cache.
    const first = await time(pair % 2 === 0 ? like : unlike);
    const second = await time(pair % 2 === 0 ? unlike : like);
    differences.push(1000 * (pair % 2 === 0 ? first - second : second - first));
  }
  agent.destroy();
  await solo.stop();
  const { mean, errorOfMean } = trimmed(differences);
  report.add('a token like the secret is refused later by', mean, 'µs');
  report.add('standard error of that', errorOfMean, 'µs');
  report.add('that in standard errors', Math.abs(mean) / errorOfMean, '', { max: NOISE });
}

/** The mean without the tenth at each end, which are pauses of the machine. Its error goes by the winsorised variance, as it has to. */
function trimmed(values: readonly number[]): { readonly mean: number; readonly errorOfMean: number } {
  const cut = Math.floor(values.length / 10);
  const sorted = values.toSorted((a, b) => a - b);
  const kept = sorted.slice(cut, values.length - cut);
  const mean = average(kept);
  const [least = 0, most = 0] = [kept[0], kept.at(-1)];
  const drawnIn = sorted.map((value) => Math.min(most, Math.max(least, value)));
  const middle = average(drawnIn);
  const variance = average(drawnIn.map((value) => (value - middle) ** 2));
  return { mean, errorOfMean: (Math.sqrt(variance / values.length) * values.length) / kept.length };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}
