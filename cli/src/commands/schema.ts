import { configJsonSchema } from '@usher/config';
import { parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK } from '../io.ts';

export const schema: CliCommand = {
  usage: 'schema',
  async run(args, io) {
    parse(args, { json: { type: 'boolean' } });
    io.out(JSON.stringify(configJsonSchema(), undefined, 2));
    return EXIT_OK;
  },
};
