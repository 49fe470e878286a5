import { hostname } from 'node:os';
import { ConfigError } from '@usher/config';
import { UsherError } from '@usher/domain';
import { agent } from './commands/agent.ts';
import { BACKEND_COMMANDS } from './commands/backends.ts';
import { check } from './commands/check.ts';
import { demoBackend } from './commands/demo-backend.ts';
import { events } from './commands/events.ts';
import { pools } from './commands/pools.ts';
import { replay } from './commands/replay.ts';
import { run } from './commands/run.ts';
import { schema } from './commands/schema.ts';
import { status } from './commands/status.ts';
import { version } from './commands/version.ts';
import { type CliCommand, EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Io, UsageError } from './io.ts';

/** Every command by its name. The entry point is the only place that reads the environment. */
const COMMANDS: Readonly<Record<string, CliCommand>> = {
  run,
  check,
  schema,
  version,
  status,
  ...BACKEND_COMMANDS,
  pools,
  events,
  replay,
  agent,
  'demo-backend': demoBackend,
};

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  hostname: hostname(),
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};

/** Runs one command line and resolves with its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === 'help' || name === '--help' || name === '-h') {
    for (const line of help()) io.out(line);
    return EXIT_OK;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    io.err(`usher: there is no command ${name}; see usher help`);
    return EXIT_USAGE;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(`usher ${command.usage}\n  ${command.summary}`);
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
  const commands = Object.values(COMMANDS);
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    'usher, an event-sourced, actor-based L7 load balancer',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `${commands.length} commands; usher COMMAND --help shows how each is called. Exit codes: 0 ok, 1 failed, 2 bad usage or configuration.`,
  ];
}

// A reader that stops reading (`usher events | head`) ends the output; that is no error.
process.stdout.on('error', () => process.exit(EXIT_OK));
process.exitCode = await main(process.argv.slice(2));
