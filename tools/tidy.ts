import { fileURLToPath } from 'node:url';
import { ERRORS } from '../libs/domain/src/index.ts';
import { CATALOGUE } from '../libs/events/src/index.ts';
import { ASYNC_API, asyncApi } from './docs/async-api.ts';
import { MEANINGS } from './docs/event-meanings.ts';
import { EVENTS_PAGE, eventsPage } from './docs/events-page.ts';
import { decisions, links, paths } from './tidy/docs.ts';
import { imports } from './tidy/imports.ts';
import { errorPage, generatedPage } from './tidy/references.ts';
import { ambient, sizes, words } from './tidy/sources.ts';
import { functionSize, surfaces } from './tidy/surfaces.ts';
import { type Rule, readTree } from './tidy/tree.ts';

/** `npm run tidy`: the rules of this project that no general tool checks. */
const RULES: readonly Rule[] = [
  imports,
  sizes,
  functionSize,
  words,
  ambient,
  surfaces,
  links,
  paths,
  decisions,
  errorPage('docs/reference/errors.md', ERRORS),
  generatedPage(EVENTS_PAGE, eventsPage(CATALOGUE)),
  generatedPage(ASYNC_API, asyncApi(CATALOGUE, MEANINGS)),
];

const tree = readTree(fileURLToPath(new URL('..', import.meta.url)));
let failed = false;
for (const rule of RULES) {
  const { files, findings } = rule.check(tree);
  for (const { path, line, message } of findings) console.error(`${path}:${line}: ${message}`);
  if (files === 0) console.error(`${rule.name}: there was nothing to look at`);
  failed ||= files === 0 || findings.length > 0;
}
if (failed) process.exitCode = 1;
else console.log(`tidy: ${RULES.length} rules hold for ${tree.size} files`);
