import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ConfigError } from '@usher/config';
import { UsherError } from '@usher/domain';
import { type CliCommand, EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Io, UsageError } from './io.ts';

interface Entry {
  readonly summary: string;
  /** Loads the command when it is called: `usher status` shall not wait for the gateway's code. */
  readonly load: () => Promise<CliCommand>;
}

/** How long a process may go on after its command has ended. */
const LINGER_MAX_MS = 2_000;

const backendCommands = () => import('./commands/backends.ts');

/** Every command by its name. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  run: {
    summary: 'run the load balancer; without a configuration, with three demo backends',
    load: async () => (await import('./commands/run.ts')).run,
  },
  check: {
    summary: 'check a configuration without running it',
    load: async () => (await import('./commands/check.ts')).check,
  },
  schema: {
    summary: 'print the JSON Schema of the configuration file',
    load: async () => (await import('./commands/schema.ts')).schema,
  },
  version: {
    summary: 'print the version',
    load: async () => (await import('./commands/version.ts')).version,
  },
  status: {
    summary: 'how the running system is',
    load: async () => (await import('./commands/status.ts')).status,
  },
  backends: {
    summary: 'list, add, update or remove backends',
    load: async () => (await backendCommands()).backends,
  },
  drain: {
    summary: 'give a backend no new requests and let it finish what it has',
    load: async () => (await backendCommands()).drain,
  },
  enable: {
    summary: 'take a drained or disabled backend back',
    load: async () => (await backendCommands()).enable,
  },
  disable: {
    summary: 'give a backend no new requests',
    load: async () => (await backendCommands()).disable,
  },
  weight: {
    summary: 'set the share of a backend; 0 = none',
    load: async () => (await backendCommands()).weight,
  },
  pools: {
    summary: 'list pools or set the strategy of one',
    load: async () => (await import('./commands/pools.ts')).pools,
  },
  routes: {
    summary: 'list routes in the order in which they are preferred',
    load: async () => (await import('./commands/routes.ts')).routes,
  },
  route: {
    summary: 'explain what a gateway would do with a request now, without doing it',
    load: async () => (await import('./commands/route.ts')).route,
  },
  events: {
    summary: 'print the newest events; tail follows, export prints all as JSON lines',
    load: async () => (await import('./commands/events.ts')).events,
  },
  replay: {
    summary: 'rebuild the state from the log; --verify compares it with every checkpoint',
    load: async () => (await import('./commands/replay.ts')).replay,
  },
  audit: {
    summary: 'prove from the log that reservations never exceeded what backends have',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  agent: {
    summary: 'report CPU, memory, disk and GPUs of this machine for a backend',
    load: async () => (await import('./commands/agent.ts')).agent,
  },
  'demo-backend': {
    summary: 'a backend that answers with its name',
    load: async () => (await import('./commands/demo-backend.ts')).demoBackend,
  },
};

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  hostname: hostname(),
  self: [join(dirname(process.argv[1] ?? ''), '../../bin/usher')],
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};

/** Runs one command line and resolves with its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first = 'help', ...rest] = args;
  const name = first === '--version' ? 'version' : first;
  if (name === 'help' || name === '--help' || name === '-h') {
    if (rest.length > 0) {
      io.err(`usher: unexpected argument: ${rest.join(' ')}; usher COMMAND --help explains one command`);
      return EXIT_USAGE;
    }
    for (const line of help()) io.out(line);
    return EXIT_OK;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    io.err(`usher: there is no command ${name}; see usher help`);
    return EXIT_USAGE;
  }
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(`usher ${command.usage}\n  ${entry.summary}`);
    return EXIT_OK;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    return report(error, command);
  }
}

/** Says what went wrong on standard error, in words for whoever typed the command. */
function report(error: unknown, command: CliCommand): number {
  if (error instanceof UsageError) {
    io.err(`usher: ${error.message}\nusage: usher ${command.usage}`);
    return EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    io.err(error.message);
    return EXIT_USAGE;
  }
  const { message } = error as Error;
  io.err(error instanceof UsherError ? `usher: ${message} (${error.code})` : `usher: ${message}`);
  return EXIT_FAILED;
}

function help(): string[] {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    'usher, an event-sourced, actor-based L7 load balancer',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `usher COMMAND --help shows how each is called. Exit codes: 0 ok, 1 failed, 2 bad usage or configuration.`,
  ];
}

// A reader that stops reading (`usher events | head`) ends the output; that is no error.
process.stdout.on('error', () => process.exit(EXIT_OK));
process.exitCode = await main(process.argv.slice(2));
// Nothing is left to do. What a failure has left open shall not keep a process that serves nothing.
setTimeout(() => process.exit(), LINGER_MAX_MS).unref();
