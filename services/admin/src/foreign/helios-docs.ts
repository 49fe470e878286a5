import {
  COUNT,
  declareRoute,
  described,
  FLAG,
  INSTANT,
  type JsonSchema,
  listOf,
  NUMBER,
  objectOf,
  oneOf,
  optional,
  TEXT,
} from '@usher/runtime';
import type { HeliosBackend, HeliosMetrics } from './helios-metrics.ts';

/** What the document of its API tells of the routes of Helios. */

interface NewBackend {
  readonly name: string;
  readonly address: string;
  readonly weight?: number;
}

const TEXT_TYPE = 'text/plain; charset=utf-8';
const BREAKER = objectOf<HeliosMetrics['circuit_breaker_metrics'][string]>({
  name: TEXT,
  state: oneOf(['CLOSED', 'OPEN', 'HALF-OPEN']),
});
const BACKEND_METRICS = objectOf<HeliosMetrics['backend_metrics'][string]>({
  name: TEXT,
  total_requests: COUNT,
  successful_requests: COUNT,
  failed_requests: COUNT,
  active_connections: COUNT,
  average_response_time_ms: NUMBER,
  is_healthy: FLAG,
});
const NAMED = described(
  'The name of the backend; what ids do not have in it becomes -, as in the file, and so it is listed',
  TEXT,
);

/** Of a path that is another one's second name. */
export const UNDOCUMENTED_READ = { config: { role: 'read' } } as const;

export const METRICS = declareRoute('read', {
  name: 'getHeliosMetrics',
  summary: 'Tell the counts of Helios',
  answer: {
    description: 'Of this process, since it started',
    schema: objectOf<HeliosMetrics>({
      total_requests: COUNT,
      successful_requests: COUNT,
      failed_requests: described('Answered with 5xx', COUNT),
      average_response_time_ms: NUMBER,
      backend_metrics: byName(BACKEND_METRICS),
      rate_limited_requests: described('Turned away by a rate limit', COUNT),
      circuit_breaker_metrics: described('One for each backend', byName(BREAKER)),
      start_time: INSTANT,
      uptime: described('Such as 1h2m3s', TEXT),
    }),
  },
});

export const BACKENDS = declareRoute('read', {
  name: 'listHeliosBackends',
  summary: 'List the backends',
  answer: {
    description: 'The backends of the pool',
    schema: listOf(
      objectOf<HeliosBackend>({
        name: TEXT,
        address: TEXT,
        healthy: FLAG,
        active_connections: COUNT,
        weight: COUNT,
      }),
    ),
  },
});

export const ADD = declareRoute('operate', {
  name: 'addHeliosBackend',
  summary: 'Add a backend',
  body: {
    schema: objectOf<NewBackend>({ name: NAMED, address: TEXT, weight: optional(COUNT) }),
    required: true,
  },
  answer: { description: 'It is durably there', status: 201, type: TEXT_TYPE, schema: oneOf(['added']) },
  refusals: ['invalid_input', 'conflict', 'no_leader'],
});

export const REMOVE = removal('removeHeliosBackend');
export const REMOVE_BY_POST = removal('removeHeliosBackendByPost');

export const STRATEGY = declareRoute('operate', {
  name: 'setHeliosStrategy',
  summary: 'Choose backends in another way',
  body: { schema: objectOf<{ readonly strategy: string }>({ strategy: TEXT }), required: true },
  answer: { description: 'It counts from now on', type: TEXT_TYPE, schema: oneOf(['updated']) },
  refusals: ['invalid_input', 'no_leader'],
});

/** Two methods do the same, and a name is that of one. */
function removal(name: string) {
  return declareRoute('operate', {
    name,
    summary: 'Remove a backend, which drains first',
    notes: 'Who is not there is removed.',
    body: { schema: objectOf<Pick<NewBackend, 'name'>>({ name: NAMED }), required: true },
    answer: { description: 'It goes', type: TEXT_TYPE, schema: oneOf(['removed']) },
    refusals: ['invalid_input', 'no_leader'],
  });
}

function byName(schema: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: schema };
}
