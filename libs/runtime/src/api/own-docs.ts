import type { HealthReport } from '../health-report.ts';
import { INSTANT, listOf, nullable, objectOf, oneOf, optional, TEXT } from './json-schema.ts';
import { declareRoute } from './route-doc.ts';

/** Routes that every admin server has. */

export const DOCUMENT = declareRoute('read', {
  name: 'getDocument',
  summary: 'Tell this document',
  answer: { description: 'The routes of this process in OpenAPI 3.1', schema: { type: 'object' } },
});

export const HEALTH = declareRoute('public', {
  name: 'getHealth',
  summary: 'Tell whether this process works',
  answer: {
    description: 'It serves, though something may not work as it should',
    schema: objectOf<HealthReport>(
      {
        status: oneOf(['ok', 'degraded', 'starting', 'stopping']),
        services: listOf(objectOf<HealthReport['services'][number]>({ name: TEXT, fault: nullable(TEXT) })),
        outages: optional(
          listOf(
            objectOf<NonNullable<HealthReport['outages']>[number]>({
              part: TEXT,
              since: INSTANT,
              what: TEXT,
            }),
          ),
        ),
      },
      'Health',
    ),
  },
  alsoStatus: { 503: 'It does not serve yet, or not any more' },
});
