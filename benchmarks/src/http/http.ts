import { BACKENDS, compete, withArena } from './contest.ts';
import { readOptions } from './options.ts';
import { PROFILES, type ProfileName } from './profiles.ts';
import { pickCores } from './programs.ts';
import { PROXIES, type ProxyName } from './proxies.ts';
import { contestTables, publish } from './report.ts';
import type { Result } from './results.ts';
import { CONNECTIONS } from './wrk.ts';

/** Usher beside HAProxy, nginx and node:http with undici, in one run. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, {
    profile: Object.keys(PROFILES) as ProfileName[],
    only: Object.keys(PROXIES) as ProxyName[],
  });
  const { seconds, rounds, chosen } = options;
  const entrants = chosen.only.map((name) => ({ name, prepare: PROXIES[name] }));
  const results: Result[] = [];
  await withArena(pickCores(), async (arena) => {
    for (const name of chosen.profile) {
      results.push(
        await compete(arena, name, PROFILES[name], entrants, { seconds, rounds, reference: 'haproxy' }),
      );
    }
  });
  publish(options, {
    name: 'http',
    title: 'HTTP proxies side by side',
    explanation: [
      `\`npm run bench -- --rounds ${rounds} --seconds ${seconds}\`: the proxies take turns, ${rounds} rounds of ${seconds} s each after a warm-up, ${CONNECTIONS} keep-alive connections.`,
      `Each proxy is pinned to one core with one thread for traffic; wrk and the ${BACKENDS} backends (one nginx) share another. Keep-alive to the backends,`,
      'least connections, X-Forwarded-For and a request id by all; access log off in all. Medians over the rounds; × HAProxy is the median of the',
      'ratios round by round, with the smallest and largest. CPU is user and system time of the whole process with all threads and children.',
    ],
    tables: contestTables(results),
    results,
  });
}
