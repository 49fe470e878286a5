import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Arena, BACKENDS, withArena, withContenders } from './contest.ts';
import { readOptions } from './options.ts';
import type { Latencies, PacedLoad } from './paced-client.ts';
import { PROFILES, type Profile, type ProfileName } from './profiles.ts';
import { pickCores } from './programs.ts';
import { PROXIES, type ProxyName } from './proxies.ts';
import { publish, ratioText, table } from './report.ts';
import { median, type Ratio, ratioByRound } from './results.ts';
import { CONNECTIONS } from './wrk.ts';

const CLIENT = fileURLToPath(new URL('paced-client.ts', import.meta.url));
const REFERENCE = 'haproxy';
/** The backend without any proxy: what of a latency is not the proxy's. */
const DIRECT = 'no proxy';

interface Row extends Latencies {
  readonly proxy: string;
  /** Of p99 to HAProxy's, round by round. */
  readonly p99Ratio: Ratio;
}

interface LatencyResult {
  readonly title: string;
  /** What HAProxy answered under full load. */
  readonly mostPerSecond: number;
  readonly perSecond: number;
  readonly rows: readonly Row[];
}

/** How long requests take at half the rate that HAProxy reaches, through Usher and through the others. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, {
    profile: ['small', 'browser'] as ProfileName[],
    only: ['usher', 'nginx', 'undici'] as ProxyName[],
  });
  const { seconds, rounds, chosen } = options;
  const results: LatencyResult[] = [];
  await withArena(pickCores(), async (arena) => {
    for (const name of chosen.profile) {
      results.push(await measure(arena, name, [REFERENCE, ...chosen.only], seconds, rounds));
    }
  });
  publish(options, {
    name: 'latency',
    title: 'Latency at half of HAProxy’s rate',
    explanation: [
      `\`npm run bench -- latency --rounds ${rounds} --seconds ${seconds}\`: the rate is half of what HAProxy answers when the same client sends on all ${CONNECTIONS} connections as fast as it can, measured first. Then`,
      `requests are sent at that constant rate, whether or not earlier ones are answered; the proxies take turns, ${rounds} rounds of ${seconds} s each after a second of`,
      `warm-up, over ${CONNECTIONS} keep-alive connections. A latency counts from the time at which the request was due, so that a stall counts for all requests that were due`,
      'meanwhile. `late` is by how much requests left after they were due (99th percentile); that is part of the latency of all alike,',
      'and where it comes near to p99 the client had too little of its core, so that the table says nothing about the proxies.',
      `Each proxy is pinned to one core with one thread for traffic; the client (a process of its own) and the ${BACKENDS} backends (one nginx) share another.`,
      'Medians over the rounds; the ratio is the median of the ratios of p99 round by round, with the smallest and largest.',
    ],
    tables: results.flatMap(asTable),
    results,
  });
}

async function measure(
  arena: Arena,
  name: ProfileName,
  proxies: readonly ProxyName[],
  seconds: number,
  rounds: number,
): Promise<LatencyResult> {
  const { cores } = arena;
  const profile: Profile = PROFILES[name];
  const entrants = proxies.map((proxy) => ({ name: proxy, prepare: PROXIES[proxy] }));
  return await withContenders(arena, name, profile, entrants, async (contenders, backendPorts) => {
    const { path, requestHeaders: headers } = profile;
    const ask = async (url: string, perSecond: number) =>
      await paced(cores.load, {
        port: Number(new URL(url).port),
        path,
        headers,
        connections: CONNECTIONS,
        perSecond,
        seconds,
      });
    const most: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const { name: proxy, url } of contenders) {
        const { requests } = await ask(url, 0);
        if (proxy === REFERENCE) most.push(requests / seconds);
      }
    }
    const mostPerSecond = Math.round(median(most));
    const perSecond = Math.round(mostPerSecond / 2);
    const direct = { name: DIRECT, url: `http://127.0.0.1:${backendPorts[0]}` };
    const measured = [...contenders, direct].map(({ name: proxy, url }) => ({
      proxy,
      url,
      latencies: [] as Latencies[],
    }));
    for (let round = 1; round <= rounds; round++) {
      for (const { proxy, url, latencies } of measured) {
        const one = await ask(url, perSecond);
        latencies.push(one);
        console.error(`${name} ${round}/${rounds} ${proxy}: p99 ${one.p99Us.toFixed(0)} µs`);
      }
    }
    const reference = measured.find(({ proxy }) => proxy === REFERENCE)?.latencies ?? [];
    const rows = measured.map(({ proxy, latencies }) => summarize(proxy, latencies, reference));
    return { title: profile.title, mostPerSecond, perSecond, rows };
  });
}

async function paced(cores: readonly number[], wanted: PacedLoad): Promise<Latencies> {
  const command = ['-c', cores.join(','), process.execPath, CLIENT, JSON.stringify(wanted)];
  const { stdout } = await promisify(execFile)('taskset', command);
  return JSON.parse(stdout) as Latencies;
}

function summarize(proxy: string, measured: readonly Latencies[], reference: readonly Latencies[]): Row {
  const over = (value: (each: Latencies) => number) => median(measured.map(value));
  const sum = (value: (each: Latencies) => number) => measured.reduce((all, each) => all + value(each), 0);
  return {
    proxy,
    requests: sum(({ requests }) => requests),
    p50Us: over(({ p50Us }) => p50Us),
    p99Us: over(({ p99Us }) => p99Us),
    p999Us: over(({ p999Us }) => p999Us),
    lateP99Us: over(({ lateP99Us }) => lateP99Us),
    ownCores: over(({ ownCores }) => ownCores),
    errors: sum(({ errors }) => errors),
    p99Ratio: ratioByRound(measured, reference, ({ p99Us }) => p99Us),
  };
}

function asTable({ title, mostPerSecond, perSecond, rows }: LatencyResult): string[] {
  const head = [
    'Proxy',
    'p50 µs',
    'p99 µs',
    'p99.9 µs',
    `p99 × ${REFERENCE}`,
    'late µs',
    'client’s cores',
    'errors',
  ];
  const cells = rows.map((row) => [
    row.proxy,
    row.p50Us.toFixed(0),
    row.p99Us.toFixed(0),
    row.p999Us.toFixed(0),
    ratioText(row.p99Ratio),
    row.lateP99Us.toFixed(0),
    row.ownCores.toFixed(2),
    String(row.errors),
  ]);
  const rate = `${perSecond} requests/s; HAProxy under full load: ${mostPerSecond}.`;
  return ['', `## ${title}`, '', rate, '', ...table(head, cells)];
}
