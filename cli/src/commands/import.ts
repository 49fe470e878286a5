import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatFault, formatNote, importFile } from '@usher/config';
import { EXIT_FAILED, EXIT_OK, type Run } from '../io.ts';
import type * as verbs from '../verbs/offline.ts';

/** It may hold secrets that were written out in the file of the other system. */
const OUTPUT_MODE = 0o600;

/** Translates a configuration of another system, and fails where what was closed is open then; faults are ConfigError's to report. */
export const importConfig: Run<typeof verbs.importConfig> = async (given, io) => {
  const { options, arguments: positional, behind } = given;
  const file = path.resolve(io.cwd, positional.FILE);
  const { title, output, notes, absent } = await importFile(file, { format: options.format, flags: behind });
  io.err(`usher: this is a configuration of ${title}`);
  for (const note of notes) io.err(formatNote(note));
  for (const fault of absent) io.err(`not here: ${formatFault(fault)}`);
  if (options.output === undefined) io.out(output.trimEnd());
  else await writeFile(path.resolve(io.cwd, options.output), output, { mode: OUTPUT_MODE });
  const open = notes.filter(({ kind }) => kind === 'open').length;
  if (open === 0) return EXIT_OK;
  const what = open === 1 ? 'at one place' : `at ${open} places`;
  io.err(
    `usher: ${what} the file kept somebody out, and this one does not ("left open", first); mend that before it runs`,
  );
  return EXIT_FAILED;
};
