import { readFile } from 'node:fs/promises';
import type { Change, ConfigPreview, PreviewAnswer, SharedSettings } from '@usher/domain';
import { type AdminArguments, AdminClient } from './admin-client.ts';
import { changeLines } from './change-lines.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Io, UsageError } from './io.ts';
import { tellError } from './tell-error.ts';

type Arguments = AdminArguments & { readonly json: boolean };

/** An answer as it came, and in lines: what would change, or why that cannot be said. */
type Told = { readonly answer: object } & (
  | { readonly lines: readonly string[] }
  | { readonly faults: readonly string[] }
);

/**
 * Says what of the running system would change if its process had this file, by what that process says. Resolves with the
 * exit code: 0 when nothing would, 1 when something would, 2 when that cannot be said.
 */
export async function checkAgainstRunning(file: string, args: Arguments, io: Io): Promise<number> {
  return await tell(args, io, async (client) => {
    const text = await readFile(file, 'utf8');
    const { preview, faults } = await client.post<PreviewAnswer>('/v1/config/preview', { text }, 'preview');
    const answer = { ok: preview !== null, file, preview, faults };
    return preview === null ? { answer, faults } : { answer, lines: linesOf(preview) };
  });
}

/** As `checkAgainstRunning`, if these settings were applied by a command. */
export async function checkApplied(shared: SharedSettings, args: Arguments, io: Io): Promise<number> {
  return await tell(args, io, async (client) => {
    const answer = await client.post<{ readonly changes: readonly Change[] }>(
      '/v1/config/diff',
      shared,
      'changes',
    );
    return { answer, lines: changeLines(answer.changes) };
  });
}

async function tell(args: Arguments, io: Io, ask: (client: AdminClient) => Promise<Told>): Promise<number> {
  let told: Told;
  try {
    told = await ask(await AdminClient.find(args, io));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // One would be an answer.
    tellError(error, args.json, io);
    return EXIT_USAGE;
  }
  if (args.json) io.out(JSON.stringify(told.answer));
  if ('faults' in told) {
    if (!args.json) for (const fault of told.faults) io.err(fault);
    return EXIT_USAGE;
  }
  const { lines } = told;
  if (!args.json) for (const line of lines.length > 0 ? lines : ['nothing would change']) io.out(line);
  return lines.length > 0 ? EXIT_FAILED : EXIT_OK;
}

function linesOf({ changes, listeners, restart }: ConfigPreview): string[] {
  return [
    ...changeLines(changes),
    ...(listeners ? ['listeners: change'] : []),
    ...restart.map((name) => `${name}: changes only with a restart`),
  ];
}
