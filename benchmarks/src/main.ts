import { MissingProgramsError } from './http/programs.ts';
import { UsageError } from './usage-error.ts';

/** A benchmark takes its own flags and prints what it measured. */
type Benchmark = (args: readonly string[]) => Promise<void>;

interface Entry {
  readonly about: string;
  readonly load: () => Promise<{ readonly run: Benchmark }>;
}

/** Every benchmark by its name; `npm run bench` without one runs the first. Each is loaded only when it runs. */
const BENCHMARKS: Readonly<Record<string, Entry>> = {
  http: {
    about: 'CPU per request beside HAProxy, nginx and node:http with undici; --profile, --only',
    load: async () => await import('./http/http.ts'),
  },
  latency: {
    about: 'p50, p99 and p99.9 at half the rate that HAProxy reaches; --profile, --only',
    load: async () => await import('./http/latency.ts'),
  },
  workers: {
    about: 'CPU per request with one worker and with two; --profile',
    load: async () => await import('./http/workers.ts'),
  },
  features: {
    about: 'CPU per request with one feature at a time; --profile, --only',
    load: async () => await import('./http/features.ts'),
  },
  decide: {
    about: 'nanoseconds per pick of each strategy, by the number of backends; --save',
    load: async () => await import('./decide/decide.ts'),
  },
  reserve: {
    about: 'reservations and give-backs a second, through one real Redis server and embedded',
    load: async () => await import('./reserve.ts'),
  },
  'event-log': {
    about: 'appends and replay of the embedded event log',
    load: async () => await import('./event-log.ts'),
  },
  spread: {
    about:
      'milliseconds until four gateways go by a change of health or of a breaker, embedded and over NATS; --changes',
    load: async () => await import('./spread.ts'),
  },
  sticky: {
    about: 'nanoseconds to find the session of a request, and memory after ten million clients; --ids',
    load: async () => await import('./sticky.ts'),
  },
  'rate-limit': {
    about:
      'nanoseconds that a rate limit adds to a request, memory after ten million addresses; --addresses; --minute: four gateways',
    load: async () => await import('./rate-limit/rate-limit.ts'),
  },
  agent: {
    about: 'share of a core that an agent costs, five minutes long; --seconds',
    load: async () => await import('./agent.ts'),
  },
};

const HELP = `npm run bench -- [benchmark] [flags]

${Object.entries(BENCHMARKS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}

The first four take --rounds N and --seconds N (length of one measurement), --json, and --save, which writes the page
below benchmarks/results/. --profile and --only take names with commas between them; a wrong one is answered with all.`;

async function main(args: readonly string[]): Promise<number> {
  const [first = 'http', ...rest] = args;
  const [name, flags] = first.startsWith('-') ? ['http', args] : [first, rest];
  if (args.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) {
    console.error(`bench: there is no ${name}; there are ${Object.keys(BENCHMARKS).join(', ')}`);
    return 2;
  }
  try {
    const { run } = await benchmark.load();
    await run(flags);
    return 0;
  } catch (error) {
    if (!(error instanceof MissingProgramsError) && !(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
