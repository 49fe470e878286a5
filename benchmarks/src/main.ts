import { MissingProgramsError } from './http/programs.ts';
import { UsageError } from './usage-error.ts';

/** A benchmark takes its own flags and prints what it measured. */
type Benchmark = (args: readonly string[]) => Promise<void>;

/** Every benchmark by its name; `npm run bench` without one runs the first. Each is loaded only when it runs. */
const BENCHMARKS: Readonly<Record<string, () => Promise<{ readonly run: Benchmark }>>> = {
  http: async () => await import('./http/http.ts'),
  decide: async () => await import('./decide/decide.ts'),
  'event-log': async () => await import('./event-log.ts'),
};

async function main(args: readonly string[]): Promise<number> {
  const [first = 'http', ...rest] = args;
  const [name, flags] = first.startsWith('-') ? ['http', args] : [first, rest];
  const load = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (load === undefined) {
    console.error(`bench: there is no ${name}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
    return 2;
  }
  try {
    const { run } = await load();
    await run(flags);
    return 0;
  } catch (error) {
    if (!(error instanceof MissingProgramsError) && !(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
