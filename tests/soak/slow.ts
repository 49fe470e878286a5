import { setTimeout as sleep } from 'node:timers/promises';
import { end, type Started, start } from '../support/command.ts';
import type { Lane } from './lanes.ts';
import type { SoakOptions } from './main.ts';
import { PacedLoad } from './paced-load.ts';
import type { Report } from './report.ts';
import { SoakGateway } from './soak-gateway.ts';

const CONNECTIONS = 2000;
/** All have come well before the first is cut. */
const CONNECTIONS_PER_S = 250;
const REQUESTS_PER_S = 500;
/** Connections of ordinary traffic; the probes of the attacker and of the gateway itself are a few more. */
const LOAD_CONNECTIONS = 16;
const OTHER_CONNECTIONS = 8;
const ROUNDS = 3;
const WARM_UP_MS = 3_000;
const QUIET_MS = 10_000;
const LOOK_MS = 500;
const P99_RATIO_MAX = 1.5;
/** Longer than all timeouts together, so that it is the gateway that ends the connections. */
const ATTACK_S = 60;
const CUT_LIMIT_MS = 45_000;

/** For traffic that is as slow as `ATTACKS` make it, and in any case for connections that are left alone. */
const POLICY = `timeouts: { request_header: 10s, body_idle: 10s, idle: 10s }
limits: { body_rate: 1KiB }`;

interface Attacker {
  readonly connections: number;
  readonly path: string;
  readonly flags: readonly string[];
}

interface Attack {
  readonly name: string;
  readonly lanes: readonly Lane[];
  readonly attackers: readonly Attacker[];
}

const SLOW_READER = ['-X', '-n', '2', '-z', '32', '-w', '512', '-y', '1024'];

const ATTACKS: readonly Attack[] = [
  {
    name: 'slow heads',
    // Only a head that is complete takes a connection to the other lane.
    lanes: ['wire'],
    attackers: [{ connections: CONNECTIONS, path: 'small', flags: ['-H', '-i', '2', '-x', '24'] }],
  },
  {
    name: 'slow bodies',
    lanes: ['wire', 'plugin'],
    attackers: [
      { connections: CONNECTIONS, path: 'take', flags: ['-B', '-i', '2', '-s', '100000', '-x', '16'] },
    ],
  },
  {
    name: 'slow reading',
    lanes: ['wire', 'plugin'],
    attackers: [
      // The kernel takes all of a short response, and the connection counts as idle. Of a long one the rest waits in the
      // gateway; of these there are fewer, because each fills megabytes of the kernel's buffers.
      { connections: CONNECTIONS * 0.95, path: 'send?bytes=65536', flags: SLOW_READER },
      { connections: CONNECTIONS * 0.05, path: 'send?bytes=8388608', flags: SLOW_READER },
    ],
  },
];

/** What slow clients cost the others: the p99 of ordinary traffic with and without them, in turn. */
export async function soak(report: Report, { lanes }: SoakOptions): Promise<void> {
  for (const lane of lanes) {
    for (const attack of ATTACKS.filter((each) => each.lanes.includes(lane))) {
      const gateway = await SoakGateway.start({ policy: POLICY });
      await measure(report, gateway, lane, attack);
      await gateway.stop();
    }
  }
}

async function measure(report: Report, gateway: SoakGateway, lane: Lane, attack: Attack): Promise<void> {
  const name = `${lane}, ${attack.name}`;
  const quietMs: number[] = [];
  const attackedMs: number[] = [];
  let failures = 0;
  const load = async (over: (connections: number, sinceMs: number) => boolean): Promise<number> => {
    const traffic = await ordinaryTraffic(gateway, lane, over);
    failures += traffic.failures;
    return traffic.percentileMs(0.99);
  };
  await load((_, sinceMs) => sinceMs > WARM_UP_MS);
  let most = 0;
  let longestMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    quietMs.push(await load((_, sinceMs) => sinceMs > QUIET_MS));
    const started = attack.attackers.map((attacker) => begin(gateway, lane, attacker));
    let reached = 0;
    const p99Ms = await load((connections, sinceMs) => {
      reached = Math.max(reached, connections);
      longestMs = Math.max(longestMs, sinceMs);
      const cut = reached >= CONNECTIONS && connections <= LOAD_CONNECTIONS + OTHER_CONNECTIONS;
      return cut || sinceMs > CUT_LIMIT_MS;
    });
    attackedMs.push(p99Ms);
    most = Math.max(most, reached);
    await Promise.all(started.map((attacker) => end(attacker, 'SIGKILL')));
  }
  const ratio = median(attackedMs) / median(quietMs);
  report.add(`${name}: most connections at once`, most, '', { min: CONNECTIONS });
  report.add(`${name}: all cut after`, longestMs / 1000, 's', { max: CUT_LIMIT_MS / 1000 });
  report.add(`${name}: p99 without (median of ${ROUNDS})`, median(quietMs), 'ms');
  report.add(`${name}: p99 with (median of ${ROUNDS})`, median(attackedMs), 'ms');
  report.add(`${name}: p99 with ÷ without`, ratio, '', { max: P99_RATIO_MAX });
  report.add(`${name}: ordinary requests that failed`, failures, '', { max: 0 });
}

/** Runs until `over`, which is told how many connections the gateway has and how long it has been. */
async function ordinaryTraffic(
  gateway: SoakGateway,
  lane: Lane,
  over: (connections: number, sinceMs: number) => boolean,
): Promise<PacedLoad> {
  const load = new PacedLoad(gateway.port, `/${lane}/small`, REQUESTS_PER_S, LOAD_CONNECTIONS);
  const startMs = performance.now();
  let done = false;
  const looking = (async () => {
    while (!done) {
      await sleep(LOOK_MS);
      done = over(await gateway.metric('usher_connections'), performance.now() - startMs);
    }
  })();
  await load.run(() => done);
  await looking;
  load.close();
  return load;
}

function begin({ port, folder }: SoakGateway, lane: Lane, { connections, path, flags }: Attacker): Started {
  const url = `http://127.0.0.1:${port}/${lane}/${path}`;
  const rate = Math.ceil((CONNECTIONS_PER_S * connections) / CONNECTIONS);
  const common = ['-c', connections, '-r', rate, '-l', ATTACK_S, '-p', 5, '-u', url].map(String);
  // From elsewhere it could not take the processor itself from the gateway, and it waits busily.
  return start('nice', ['-n', '5', 'slowhttptest', ...common, ...flags], folder);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
