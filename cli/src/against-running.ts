import { readFile } from 'node:fs/promises';
import type { ConfigPreview, NamedChanges, PreviewAnswer } from '@usher/domain';
import { type AdminArguments, AdminClient } from './admin-client.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Io, UsageError } from './io.ts';

/**
 * Says what of the running system would change if it had this file, by what its process says. Resolves with the exit code: 0 when
 * nothing would, 1 when something would, 2 when that cannot be said.
 */
export async function checkAgainstRunning(
  file: string,
  args: AdminArguments & { readonly json: boolean },
  io: Io,
): Promise<number> {
  let answer: PreviewAnswer;
  try {
    const client = await AdminClient.find(args, io);
    const text = await readFile(file, 'utf8');
    answer = await client.post<PreviewAnswer>('/v1/config/preview', { text }, 'preview');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // One would be an answer.
    io.err(`usher: ${(error as Error).message}`);
    return EXIT_USAGE;
  }
  if (args.json) io.out(JSON.stringify({ ok: answer.preview !== null, file, ...answer }));
  if (answer.preview === null) {
    if (!args.json) for (const fault of answer.faults) io.err(fault);
    return EXIT_USAGE;
  }
  const lines = linesOf(answer.preview);
  if (!args.json) for (const line of lines.length > 0 ? lines : ['nothing would change']) io.out(line);
  return lines.length > 0 ? EXIT_FAILED : EXIT_OK;
}

function linesOf({ pools, backends, routes, settings, listeners, restart }: ConfigPreview): string[] {
  return [
    ...namedLines('pool', pools),
    ...namedLines('backend', backends),
    ...namedLines('route', routes),
    ...settings.map((name) => `${name}: changes`),
    ...(listeners ? ['listeners: change'] : []),
    ...restart.map((name) => `${name}: changes only with a restart`),
  ];
}

function namedLines(what: string, { added, removed, changed }: NamedChanges): string[] {
  return [
    ...added.map((id) => `${what} ${id}: comes`),
    ...removed.map((id) => `${what} ${id}: goes`),
    ...changed.map(({ id, settings }) => `${what} ${id}: changes (${settings.join(', ')})`),
  ];
}
