import { parseArgs } from 'node:util';
import { raiseOpenFiles } from '../soak/open-files.ts';
import { Report } from '../soak/report.ts';

/**
 * `npm run chaos [-- NAME... --seconds S --only TEXT --quick]`: real processes on the loopback from which something is taken
 * away under load. The exit status is 1 when a figure misses its bar, 2 when a flag is wrong.
 */

export interface ChaosOptions {
  /** How long a load is kept up, where a program lets one choose. */
  readonly seconds: number | undefined;
  /** Only the cases whose name contains this, where a program has several. */
  readonly only: string | undefined;
  /** Freezes are short and counts small. */
  readonly quick: boolean;
}

type Chaos = (report: Report, options: ChaosOptions) => Promise<void>;

/** Each is loaded only when it runs. */
const PROGRAMS: Readonly<Record<string, () => Promise<{ readonly chaos: Chaos }>>> = {
  outages: async () => await import('./outages.ts'),
  restarts: async () => await import('./restarts.ts'),
  'total-outage': async () => await import('./total-outage.ts'),
  'broken-gateway': async () => await import('./broken-gateway.ts'),
  'post-once': async () => await import('./post-once.ts'),
  'keep-alive': async () => await import('./keep-alive.ts'),
  sigterm: async () => await import('./sigterm.ts'),
  'hot-restart': async () => await import('./hot-restart.ts'),
  'live-changes': async () => await import('./live-changes.ts'),
  'wrong-tokens': async () => await import('./wrong-tokens.ts'),
  probes: async () => await import('./probes.ts'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
const names = positionals.length > 0 ? positionals : Object.keys(PROGRAMS);
const unknown = names.find((name) => !Object.hasOwn(PROGRAMS, name));

if (unknown !== undefined) refuse(`there is no ${unknown}; there are ${Object.keys(PROGRAMS).join(', ')}`);
if (seconds !== undefined && !(seconds > 0)) refuse('--seconds is a number above 0');

raiseOpenFiles();
let missed = 0;
for (const name of names) {
  const report = new Report(name);
  const { chaos } = await PROGRAMS[name]!();
  await chaos(report, { seconds, only: values.only, quick: values.quick });
  missed += report.print();
}
// What a program left open would keep this process alive.
process.exit(missed > 0 ? 1 : 0);

function refuse(why: string): never {
  console.error(`chaos: ${why}`);
  process.exit(2);
}
