import type { Alter } from './configs.ts';
import { BACKENDS, compete, type Entrant, withArena } from './contest.ts';
import { readOptions } from './options.ts';
import { PROFILES, type Profile, type ProfileName } from './profiles.ts';
import { pickCores } from './programs.ts';
import { prepareUsher } from './proxies.ts';
import { contestTables, publish } from './report.ts';
import type { Result } from './results.ts';
import { CONNECTIONS } from './wrk.ts';

interface Feature {
  readonly name: string;
  readonly alter?: Alter;
  readonly traffic?: Partial<Profile>;
}

const REFERENCE = 'plain';

/** What clients behind a proxy that is trusted send. */
const FORWARDED = {
  accept: '*/*',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'shop.example.com',
};
const TRUSTED = ['127.0.0.0/8'];

const pool =
  (keys: Readonly<Record<string, unknown>>): Alter =>
  (plain) => ({ ...plain, pool: { ...plain.pool, ...keys } });
/** So many requests at a time for each backend. */
const limited =
  (max: number): Alter =>
  (plain) => {
    const urls = plain.pool['backends'];
    const backends = Array.isArray(urls) ? urls.map((url: unknown) => ({ url, max_connections: max })) : [];
    return { ...plain, pool: { ...plain.pool, backends } };
  };
const route =
  (keys: Readonly<Record<string, unknown>>): Alter =>
  (plain) => ({ ...plain, route: { ...plain.route, ...keys } });
const others =
  (keys: Readonly<Record<string, unknown>>): Alter =>
  (plain) => ({ ...plain, others: { ...plain.others, ...keys } });
const listen =
  (keys: Readonly<Record<string, unknown>>): Alter =>
  (plain) => ({ ...plain, listen: { ...plain.listen, ...keys } });

/** Each differs from the first in one thing: what is off by default is on, what is on by default is off. */
const FEATURES: readonly Feature[] = [
  { name: REFERENCE },
  // Measured twice, the same shows how far a ratio can be trusted.
  { name: 'plain again' },
  { name: 'without retries', alter: pool({ retry: { attempts: 0 } }) },
  { name: 'without breaker', alter: pool({ breaker: { enabled: false } }) },
  { name: 'strategy p2c', alter: pool({ strategy: 'p2c' }) },
  { name: 'strategy weighted_round_robin', alter: pool({ strategy: 'weighted_round_robin' }) },
  { name: 'untrusted forwarded headers', traffic: { requestHeaders: FORWARDED } },
  {
    name: 'trusted forwarded headers',
    alter: others({ trusted_proxies: TRUSTED }),
    traffic: { requestHeaders: FORWARDED },
  },
  { name: 'max_connections that nobody reaches', alter: limited(1000) },
  { name: 'max_connections with half of the clients in the queue', alter: limited(CONNECTIONS / 4) },
  { name: 'connections_per_ip', alter: others({ limits: { connections_per_ip: 1000 } }) },
  { name: 'body_rate', alter: others({ limits: { body_rate: '1KiB' } }) },
  { name: 'timeout of the whole request', alter: others({ timeouts: { request: '1m' } }) },
  {
    name: 'proxy_protocol from clients',
    alter: listen({ proxy_protocol: true }),
    traffic: { preamble: 'PROXY TCP4 203.0.113.7 127.0.0.1 40000 80\r\n' },
  },
  // Clients of `browser` take it; to those of `small` it is the cost of the plugin lane.
  { name: 'compression', alter: route({ plugins: [{ name: 'compression' }] }) },
  { name: 'TLS', traffic: { tls: true } },
];

/** Usher with one feature at a time, in relation to Usher as it comes. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, {
    profile: ['small', 'browser'] as ProfileName[],
    only: FEATURES.map(({ name }) => name),
  });
  const { seconds, rounds, chosen } = options;
  const entrants = FEATURES.filter(({ name }) => chosen.only.includes(name)).map(entrant);
  const results: Result[] = [];
  await withArena(pickCores(), async (arena) => {
    for (const name of chosen.profile) {
      const profile = PROFILES[name];
      results.push(await compete(arena, name, profile, entrants, { seconds, rounds, reference: REFERENCE }));
    }
  });
  publish(options, {
    name: 'features',
    title: 'What features cost',
    explanation: [
      `\`npm run bench -- features --rounds ${rounds} --seconds ${seconds}\`: one Usher for each row, which take turns, ${rounds} rounds of ${seconds} s each after a warm-up,`,
      `${CONNECTIONS} keep-alive connections, one worker pinned to one core; wrk and the ${BACKENDS} backends (one nginx) share another. Each row differs from`,
      '`plain` in one thing. Medians over the rounds; × plain is the median of the ratios round by round, with the smallest and largest.',
      'CPU is user and system time of the whole process; `plain again` shows how much of a difference is chance.',
    ],
    tables: contestTables(results),
    results,
  });
}

function entrant({ name, alter, traffic }: Feature): Entrant {
  return { name, prepare: async (where) => await prepareUsher(where, alter), ...(traffic && { traffic }) };
}
