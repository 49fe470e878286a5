import { BACKENDS, compete, type Entrant, withArena } from './contest.ts';
import { readOptions } from './options.ts';
import { PROFILES, type ProfileName } from './profiles.ts';
import { allowedCores, type Cores } from './programs.ts';
import { prepareUsher } from './proxies.ts';
import { contestTables, publish } from './report.ts';
import type { Result } from './results.ts';
import { CONNECTIONS } from './wrk.ts';

const WORKERS = [1, 2];
const REFERENCE = '1 worker';

const ENTRANTS = WORKERS.map((workers): Entrant & { readonly workers: number } => ({
  name: workers === 1 ? REFERENCE : `${workers} workers`,
  workers,
  prepare: async (where) =>
    await prepareUsher(where, (plain) => ({ ...plain, others: { ...plain.others, workers } })),
}));

/** Usher with one worker and with two: what a request costs, and where cores are free, how many more there are. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, { profile: Object.keys(PROFILES) as ProfileName[] });
  const { seconds, rounds, chosen } = options;
  const cores = pickCores();
  const enough = cores.proxy[0] !== cores.load[0];
  const results: Result[] = [];
  await withArena(cores, async (arena) => {
    for (const name of chosen.profile) {
      results.push(
        await compete(arena, name, PROFILES[name], ENTRANTS, { seconds, rounds, reference: REFERENCE }),
      );
    }
  });
  publish(options, {
    name: 'workers',
    title: 'Usher with one worker and with two',
    explanation: [
      `\`npm run bench -- workers --rounds ${rounds} --seconds ${seconds}\`: both take turns, ${rounds} rounds of ${seconds} s each after a warm-up, ${CONNECTIONS} keep-alive connections.`,
      enough
        ? `Usher has cores ${cores.proxy.join(' and ')}; wrk and the ${BACKENDS} backends have ${cores.load.length} others.`
        : `Usher, wrk and the ${BACKENDS} backends share ${cores.proxy.length} cores, so that only the CPU time of a request says something, and not the requests per second.`,
      'Medians over the rounds; the ratio is the median of the ratios of CPU per request round by round, with the smallest and largest.',
      'CPU is user and system time of the whole process with all threads.',
    ],
    tables: contestTables(results),
    results,
  });
}

/** Two cores for Usher and at least as many for the rest; all for both when there are fewer. */
function pickCores(): Cores {
  const all = allowedCores();
  const most = Math.max(...WORKERS);
  return all.length >= 2 * most
    ? { proxy: all.slice(0, most), load: all.slice(most) }
    : { proxy: all, load: all };
}
