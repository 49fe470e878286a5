import { writeFileSync } from 'node:fs';
import { CATALOGUE } from '../libs/events/src/index.ts';
import { ASYNC_API, asyncApi } from './docs/async-api.ts';
import { MEANINGS } from './docs/event-meanings.ts';
import { EVENTS_PAGE, eventsPage } from './docs/events-page.ts';

/** `npm run docs`: writes the pages that are made from the code. */
const PAGES = { [EVENTS_PAGE]: eventsPage(CATALOGUE), [ASYNC_API]: asyncApi(CATALOGUE, MEANINGS) };

for (const [page, text] of Object.entries(PAGES)) {
  writeFileSync(new URL(`../${page}`, import.meta.url), text);
  console.log(`wrote ${page}`);
}
