import {
  DIMENSIONS,
  type ExplainedArm,
  type ExplainedBackend,
  type Explanation,
  RESERVE_MODES,
  STRATEGY_NAMES,
} from '@usher/domain';
import { routeQuestion } from '@usher/events';
import {
  COUNT,
  declareRoute,
  described,
  type JsonSchema,
  listOf,
  NUMBER,
  nullable,
  objectOf,
  oneOf,
  optional,
  TEXT,
} from '@usher/runtime';
import { schemaOf } from './from-events.ts';

type Part<K extends keyof Explanation> = NonNullable<Explanation[K]>;

const CANDIDATE = objectOf<ExplainedBackend>(
  {
    backend: TEXT,
    url: TEXT,
    reason: described('What speaks against it; `ok` when nothing does', TEXT),
    short: optional(
      objectOf<NonNullable<ExplainedBackend['short']>>({
        dimension: oneOf(DIMENSIONS),
        needed: NUMBER,
        free: NUMBER,
      }),
    ),
    weight: NUMBER,
    inFlight: NUMBER,
    own: COUNT,
    maxConnections: optional(COUNT),
    measures: { type: 'object', additionalProperties: NUMBER },
  },
  'Candidate',
);

const PLACE = objectOf<Part<'from'>>({ latitude: NUMBER, longitude: NUMBER });

const EXPLANATION = objectOf<Explanation>(
  {
    gateway: TEXT,
    worker: COUNT,
    position: COUNT,
    routes: listOf(
      objectOf<Explanation['routes'][number]>({
        route: TEXT,
        host: nullable(TEXT),
        path: TEXT,
        pool: nullable(TEXT),
        verdict: oneOf(['matches', 'less_specific', 'other_host', 'other_path']),
      }),
    ),
    route: nullable(TEXT),
    arm: nullable(
      objectOf<ExplainedArm>({
        by: described('What made it this pool', oneOf(['canary', 'split', 'rest'])),
        pool: TEXT,
        canary: nullable(COUNT),
        point: described('Where it falls, from 0 to 1', nullable(NUMBER)),
        settings: described('Those that were decisive', { type: 'object' }),
      }),
    ),
    plugins: listOf(TEXT),
    policy: nullable(
      objectOf<Part<'policy'>>({
        answered: nullable(oneOf(['client', 'redirect', 'preflight', 'key', 'token'])),
        status: nullable(COUNT),
        location: nullable(TEXT),
        rewritten: nullable(TEXT),
      }),
    ),
    pool: nullable(TEXT),
    strategy: nullable(oneOf(STRATEGY_NAMES)),
    key: nullable(
      objectOf<Part<'key'>>({
        by: oneOf(['ip', 'path', 'header', 'cookie']),
        name: optional(TEXT),
        hash: NUMBER,
      }),
    ),
    tier: nullable(
      objectOf<Part<'tier'>>({ name: TEXT, by: oneOf(['given', 'field', 'query', 'header', 'default']) }),
    ),
    reserve: oneOf(RESERVE_MODES),
    from: nullable(PLACE),
    session: nullable(
      objectOf<Part<'session'>>({
        by: oneOf(['cookie', 'header', 'ip']),
        verdict: oneOf(['stays', 'leaves', 'begins', 'asks']),
        backend: nullable(TEXT),
      }),
    ),
    among: nullable(oneOf(['eligible', 'panic', 'last_resort', 'despite_breakers', 'unbroken'])),
    candidates: listOf(CANDIDATE),
    outcome: described(
      '`backend`, `waits`, `answered` (by the policy), or the code of the error that it is answered with',
      TEXT,
    ),
    chosen: nullable(TEXT),
    detail: TEXT,
  },
  'Explanation',
);

function question(): JsonSchema {
  const schema = schemaOf(routeQuestion);
  const gateway = described('The gateway to ask, when not any', TEXT);
  return { ...schema, properties: { ...schema.properties, gateway }, title: 'RouteQuestion' };
}

export const EXPLAIN = declareRoute('read', {
  name: 'explainRoute',
  summary: 'Tell what a gateway would do with a request now, and why',
  notes: 'Nothing is sent to any backend and nothing changes.',
  body: { schema: question(), required: true },
  answer: { description: 'What one worker of the gateway answers', schema: EXPLANATION },
  refusals: ['not_found', 'no_gateway', 'no_route', 'unknown_tier'],
});
