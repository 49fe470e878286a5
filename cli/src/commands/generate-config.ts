import { defaultFile } from '@usher/config';
import { EXIT_OK, type Run } from '../io.ts';
import type * as verbs from '../verbs/offline.ts';

export const generateConfig: Run<typeof verbs.generateConfig> = async ({ options }, io) => {
  io.out(defaultFile(options).trimEnd());
  return EXIT_OK;
};
