import { parseArgs } from 'node:util';
import { LANES, type Lane } from './lanes.ts';
import { raiseOpenFiles } from './open-files.ts';
import { Report } from './report.ts';

/**
 * `npm run soak [-- NAME... --lane LANE --seconds S]`: long runs against a real gateway process, each of which prints its
 * figures. The exit status is 1 when one of them misses its bar, 2 when a flag is wrong.
 */

export interface SoakOptions {
  readonly lanes: readonly Lane[];
  /** How long a load is kept up, where a program lets one choose. */
  readonly seconds: number | undefined;
}

type Soak = (report: Report, options: SoakOptions) => Promise<void>;

/** Each is loaded only when it runs. */
const SOAKS: Readonly<Record<string, () => Promise<{ readonly soak: Soak }>>> = {
  slow: async () => await import('./slow.ts'),
  idle: async () => await import('./idle.ts'),
  bodies: async () => await import('./bodies.ts'),
  streams: async () => await import('./streams.ts'),
  certificates: async () => await import('./certificates.ts'),
  reservations: async () => await import('./reservations.ts'),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { lane: { type: 'string' }, seconds: { type: 'string' } },
});
const lanes = values.lane === undefined ? LANES : LANES.filter((lane) => lane === values.lane);
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
const names = positionals.length > 0 ? positionals : Object.keys(SOAKS);
const unknown = names.find((name) => !Object.hasOwn(SOAKS, name));

if (unknown !== undefined) refuse(`there is no ${unknown}; there are ${Object.keys(SOAKS).join(', ')}`);
if (lanes.length === 0) refuse(`--lane is one of ${LANES.join(', ')}`);
if (seconds !== undefined && !(seconds > 0)) refuse('--seconds is a number above 0');

raiseOpenFiles();
let missed = 0;
for (const name of names) {
  const report = new Report(name);
  const { soak } = await SOAKS[name]!();
  await soak(report, { lanes, seconds });
  missed += report.print();
}
// What a program left open would keep this process alive, and a gateway with it.
process.exit(missed > 0 ? 1 : 0);

function refuse(why: string): never {
  console.error(`soak: ${why}`);
  process.exit(2);
}
