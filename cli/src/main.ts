import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ConfigError } from '@usher/config';
import { COMMANDS, type Command } from './commands.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Io, UsageError } from './io.ts';
import { forPrograms, tellError } from './tell-error.ts';
import { findVerb, groupOf } from './verbs/find-verb.ts';
import { helpOf, overview, usageOf } from './verbs/help.ts';

/** How long a process may go on after its command has ended. */
const LINGER_MAX_MS = 2_000;

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  hostname: hostname(),
  commandLine: [join(dirname(process.argv[1] ?? ''), '../../bin/usher'), ...process.argv.slice(2)],
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};

/** Runs one command line and resolves with its exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [first = 'help', ...rest] = args;
  if (['help', '--help', '-h'].includes(first)) {
    if (rest.length > 0) {
      io.err(`usher: unexpected argument: ${rest.join(' ')}; usher COMMAND --help explains one command`);
      return EXIT_USAGE;
    }
    for (const line of overview(COMMANDS.map(({ verb }) => verb))) io.out(line);
    return EXIT_OK;
  }
  let command: Command | undefined;
  try {
    const found = findVerb(COMMANDS, [first === '--version' ? 'version' : first, ...rest]);
    command = found.entry;
    if (!isHelp(found.rest)) return await command.run(found.rest, io);
    explain(command);
    return EXIT_OK;
  } catch (error) {
    return report(error, command, rest);
  }
}

function isHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** Prints the help of a command, and which others begin with its word. */
function explain({ verb }: Command): void {
  for (const line of helpOf(verb)) io.out(line);
  const others = groupOf(COMMANDS, verb.name);
  if (others.length > 0) io.out('');
  for (const other of others) io.out(`usher ${usageOf(other.verb)}\n  ${other.verb.summary}`);
}

/** Says what went wrong; the answer is the exit code for it. */
function report(error: unknown, command: Command | undefined, args: readonly string[]): number {
  tellError(error, forPrograms(args), io, command && usageOf(command.verb));
  return error instanceof UsageError || error instanceof ConfigError ? EXIT_USAGE : EXIT_FAILED;
}

// A reader that stops reading (`usher events | head`) ends the output; that is no error.
process.stdout.on('error', () => process.exit(EXIT_OK));
process.exitCode = await main(process.argv.slice(2));
// Nothing is left to do. What a failure has left open shall not keep a process that serves nothing.
setTimeout(() => process.exit(), LINGER_MAX_MS).unref();
