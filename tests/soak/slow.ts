import { setTimeout as sleep } from 'node:timers/promises';
import { end, type Started, start } from '../support/command.ts';
import type { Lane } from './lanes.ts';
import type { SoakOptions } from './main.ts';
import { PacedLoad } from './paced-load.ts';
import type { Report } from './report.ts';
import { SoakGateway } from './soak-gateway.ts';

const CONNECTIONS = 2000;
/** The first may be over before the last have come. */
const SPARE_CONNECTIONS = 20;
/** All have come well before the first is cut. */
const CONNECTIONS_PER_S = 250;
const REQUESTS_PER_S = 1000;
/** Connections of ordinary traffic; the probes of the attacker and of the gateway itself are a few more. */
const LOAD_CONNECTIONS = 32;
const OTHER_CONNECTIONS = 8;
const ROUNDS = 5;
const QUIET_MS = 10_000;
const SETTLE_MS = 3_000;
const LOOK_MS = 500;
const P99_RATIO_MAX = 1.5;
/** Of so many requests at most the client may be unable to say how long they took. */
const SPOILED_SHARE_MAX = 0.2;
/** Longer than all timeouts together, so that it is the gateway that ends the connections. */
const ATTACK_S = 60;
const ARRIVAL_LIMIT_MS = 12_000;
const CUT_LIMIT_MS = 40_000;

/** Bodies that trickle are cut ten seconds after they begin, all others later than that. */
const POLICY = `timeouts: { request_header: 15s, body_idle: 15s, idle: 15s }
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

/**
 * What slow clients cost the others: the p99 of ordinary traffic without and with them, in turn, from when all of them have
 * come until the last is cut. While they come, in bursts of hundreds, they cost what as many ordinary clients would; that is
 * told by itself.
 */
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
  const without: PacedLoad[] = [];
  const arriving: PacedLoad[] = [];
  const held: PacedLoad[] = [];
  const load = async (over: (connections: number, sinceMs: number) => boolean): Promise<PacedLoad> =>
    await ordinaryTraffic(gateway, lane, over);
  let fewest = Infinity;
  let longestMs = 0;
  // The first round warms the gateway up and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    if (round === 1) for (const loads of [without, arriving, held]) loads.length = 0;
    without.push(await load((_, sinceMs) => sinceMs > QUIET_MS));
    const attackers = attack.attackers.map((attacker) => begin(gateway, lane, attacker));
    let most = 0;
    const arrival = await load((connections, sinceMs) => {
      most = Math.max(most, connections - LOAD_CONNECTIONS);
      return most >= CONNECTIONS || sinceMs > ARRIVAL_LIMIT_MS;
    });
    arriving.push(arrival);
    fewest = Math.min(fewest, most);
    const hold = await load((connections, sinceMs) => {
      longestMs = Math.max(longestMs, sinceMs);
      return connections <= LOAD_CONNECTIONS + OTHER_CONNECTIONS || sinceMs > CUT_LIMIT_MS;
    });
    held.push(hold);
    await Promise.all(attackers.map((attacker) => end(attacker, 'SIGKILL')));
    await sleep(SETTLE_MS);
  }
  const name = `${lane}, ${attack.name}`;
  const all = [...without, ...arriving, ...held];
  const ratio = p99Ms(held) / p99Ms(without);
  report.add(`${name}: slow connections at once`, fewest, '', { min: CONNECTIONS });
  report.add(`${name}: all cut within`, longestMs / 1000, 's', { max: CUT_LIMIT_MS / 1000 });
  report.add(`${name}: p99 without`, p99Ms(without), 'ms');
  report.add(`${name}: p99 while they come`, p99Ms(arriving), 'ms');
  report.add(`${name}: p99 from then until the last is cut`, p99Ms(held), 'ms');
  report.add(`${name}: p99 with ÷ without`, ratio, '', { max: P99_RATIO_MAX });
  report.add(`${name}: requests left out`, sum(all, 'spoiled') / sum(all, 'requests'), '', {
    max: SPOILED_SHARE_MAX,
  });
  report.add(`${name}: ordinary requests that failed`, sum(all, 'failures'), '', { max: 0 });
}

function p99Ms(loads: readonly PacedLoad[]): number {
  return median(loads.map((load) => load.percentileMs(0.99)));
}

function sum(loads: readonly PacedLoad[], what: 'failures' | 'requests' | 'spoiled'): number {
  return loads.reduce((total, load) => total + load[what], 0);
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
  const common = ['-c', connections + SPARE_CONNECTIONS, '-r', rate, '-l', ATTACK_S, '-p', 5, '-u', url].map(
    String,
  );
  // From elsewhere it could not take the processor itself from the gateway, and it waits busily.
  const ordinary = ['--other', '0', 'nice', '-n', '5'];
  return start('chrt', [...ordinary, 'slowhttptest', ...common, ...flags], folder);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
