import { writeFileSync } from 'node:fs';
import { CATALOGUE } from '../libs/events/src/index.ts';
import { EVENTS_PAGE, eventsPage } from './docs/events-page.ts';

/** `npm run docs`: writes the pages that are made from the code. */
writeFileSync(new URL(`../${EVENTS_PAGE}`, import.meta.url), eventsPage(CATALOGUE));
console.log(`wrote ${EVENTS_PAGE}`);
