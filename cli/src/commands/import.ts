import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatFault, formatNote, importFile } from '@usher/config';
import { onlyPositional, parseMixed, splitAtDashes } from '../arguments.ts';
import { type CliCommand, EXIT_OK } from '../io.ts';

/** It may hold secrets that were written out in the file of the other system. */
const OUTPUT_MODE = 0o600;

/** Translates a configuration of another system; faults are ConfigError's to report. */
export const importConfig: CliCommand = {
  usage: `import FILE [--format NAME] [--output FILE] [-- FLAG…]
  NAME is helios, load-balancer, connx, velo, opsen-server, opsen-agent, nginx or haproxy; without it the keys tell.
  What has no equal, or means something else now, is told on standard error.`,
  async run(args, io) {
    const [own, flags] = splitAtDashes(args);
    const { values, positionals } = parseMixed(own, {
      format: { type: 'string' },
      output: { type: 'string', short: 'o' },
    });
    const file = onlyPositional(positionals, 'the file to translate');
    const { title, output, notes, absent } = await importFile(path.resolve(io.cwd, file), {
      format: values.format,
      flags,
    });
    io.err(`usher: this is a configuration of ${title}`);
    for (const note of notes) io.err(formatNote(note));
    for (const fault of absent) io.err(`not here: ${formatFault(fault)}`);
    if (values.output === undefined) io.out(output.trimEnd());
    else await writeFile(path.resolve(io.cwd, values.output), output, { mode: OUTPUT_MODE });
    return EXIT_OK;
  },
};
