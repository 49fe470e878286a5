import { answers, calls, examples, strategies } from './section.ts';

export const HELIOS = [
  examples({
    'helios.basic.yaml': 'the basic configuration of its README; what that leaves out has its default',
    'helios.whole.yaml': 'the file that it ships',
    'helios.docker.yaml': 'the one for containers, with its byte order mark',
    'helios.address-lists.yaml': 'the lists of addresses of its guide to the admin API',
  }),
  strategies({
    round_robin: 'to each backend in turn',
    least_connections: 'to the one with the fewest requests under way',
    weighted_round_robin: 'by weight, spread out: of 8 requests with 5, 2 and 1 five, two and one',
    ip_hash: 'a client always to the same backend',
    ip_hash_consistent: 'the same, and only the clients of a backend that goes get another',
  }),
  calls({
    'GET /v1/health': '200 `{"status":"ok",…}`; needs no token',
    'GET /v1/metrics':
      '200 with the counts of Helios as JSON; breakers are those of the backends, by name and state alone: how often each was tried is in the event log. `last_health_check` has no equal',
    'GET /v1/backends': '200 `[{name, address, healthy, active_connections, weight}]`',
    'POST /v1/backends/add':
      '`{name, address, weight?}`: 201 `added` once that is durable; 400 for what is missing or no JSON; 409 for a name that there is. What ids do not have in a name becomes `-`, as in the file; keys in any case',
    'POST /v1/backends/remove':
      '`{name}`: 200 `removed`; it drains first. Who is not there is removed; 400 without a name',
    'DELETE /v1/backends/remove': 'the same',
    'POST /v1/strategy': '`{strategy}`: 200 `updated`; 400 for one that is none',
    'GET /v1/openapi.json': '200 with a description of these calls',
    'Another method': '405, and `Allow` names those that the path has',
    'Without the token': '401',
    'From an address that is not allowed': '403, and so with `ip_deny_list`, which counts more',
    'GET metrics.path': 'on the port of the metrics: the format of Prometheus, as its README has it',
    'GET /health': 'there: 200 with the state of the process; 503 when new traffic should go elsewhere',
    'GET /api/backends, GET /api/metrics':
      'the same as with `/v1`, as a part of its documentation has it; Helios itself has 404',
  }),
  answers({
    rate_limit:
      '429 with `Retry-After`; the body is a problem of RFC 9457, as of every answer of Usher itself',
    'No backend is healthy': '503',
    'The breaker of every backend is open':
      '503, until the breaker of one lets a request try. A backend whose breaker is open is left alone as long as others serve',
    'A backend cannot be reached':
      'the answer of another backend, as long as few requests need one, and 502 where there is none',
    'backend_read is over': '504',
    'handler is over': '504',
    max_request_body: '413, also for a body in chunks',
    'custom-auth': '401 without the key in `X-API-Key`',
    'request-id':
      '`X-Request-Id` in the answer and to the backend; one that a client sends is kept, as its README has it',
    headers: '`set` in answers, `request_set` in requests',
    gzip: 'compressed answers for who accepts them, from `min_size` on and of `content_types`',
    'X-Forwarded-For': 'the address of the client goes to the backend, and the Host that it asked for',
    WebSocket: 'is passed on in both directions',
  }),
] as const;
