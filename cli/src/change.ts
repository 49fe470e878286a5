import { randomUUID } from 'node:crypto';
import type { Accepted } from '@usher/admin';
import type { CommandInput, CommandName } from '@usher/events';
import { type AdminArguments, AdminClient } from './admin-client.ts';
import { wholeOption } from './arguments.ts';
import { EXIT_OK, type Io } from './io.ts';

export interface ChangeArguments extends AdminArguments {
  readonly json?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly id?: string | undefined;
  readonly 'if-revision'?: string | undefined;
}

/** Sends one command to the running system and says what it led to. */
export async function change<N extends CommandName>(
  name: N,
  data: CommandInput<N>,
  args: ChangeArguments,
  io: Io,
): Promise<number> {
  return await changeWith(name, data, args, io);
}

/** As `change`, with data that only whoever carries the command out can check. */
export async function changeWith(
  name: CommandName,
  data: unknown,
  args: ChangeArguments,
  io: Io,
): Promise<number> {
  const client = await AdminClient.find(args, io);
  const command = {
    name,
    data,
    actor: io.env['USER'] ?? 'cli',
    reason: args.reason,
    expectRevision: wholeOption('if-revision', args['if-revision']),
  };
  const accepted = await client.post<Accepted>('/v1/commands', command, 'position', {
    'idempotency-key': args.id ?? randomUUID(),
  });
  if (args.json === true) io.out(JSON.stringify(accepted));
  else io.out(describe(accepted));
  return EXIT_OK;
}

function describe({ position, events, repeated }: Accepted): string {
  if (repeated) return `done before, at position ${position}`;
  if (events.length === 0) return 'nothing to change';
  return `${events.join(', ')} at position ${position}`;
}
