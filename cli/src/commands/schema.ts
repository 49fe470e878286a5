import { configJsonSchema } from '@usher/config';
import { EXIT_OK, type Run } from '../io.ts';
import type * as verbs from '../verbs/offline.ts';

export const schema: Run<typeof verbs.schema> = async (_given, io) => {
  io.out(JSON.stringify(configJsonSchema(), undefined, 2));
  return EXIT_OK;
};
