import { EXIT_OK, type Run } from '../io.ts';
import type * as verbs from '../verbs/offline.ts';
import { VERSION } from '../version.ts';

export const version: Run<typeof verbs.version> = async ({ options }, io) => {
  if (options.json) io.out(JSON.stringify({ version: VERSION, node: process.version }));
  else io.out(`usher ${VERSION} (node ${process.version})`);
  return EXIT_OK;
};
