import { parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK } from '../io.ts';
import { VERSION } from '../version.ts';

export const version: CliCommand = {
  usage: 'version [--json]',
  async run(args, io) {
    const values = parse(args, { json: { type: 'boolean' } });
    if (values.json === true) io.out(JSON.stringify({ version: VERSION, node: process.version }));
    else io.out(`usher ${VERSION} (node ${process.version})`);
    return EXIT_OK;
  },
};
