import { answers, calls, examples, strategies } from './section.ts';

export const CONNX = [
  examples({
    'connx.whole.yaml': 'the configuration of its README',
    'connx.list-of-addresses.yaml': 'the older form with a list of addresses',
  }),
  strategies({
    'round-robin': 'to each backend in turn',
    'least-connections': 'to the one with the fewest requests under way',
    'weighted-round-robin': 'by weight: of 6 requests with 3, 2 and 1 three, two and one',
  }),
  calls({
    'GET /metrics': '200 in the format of Prometheus, on the port of the traffic',
    'POST /metrics': '405, and `Allow` names GET and HEAD',
    'GET /metrics?format=usher': "Usher's own names",
  }),
  {
    heading: 'Metrics',
    columns: ['Metric', 'Is'],
    rows: {
      'connx_requests_total{method_status}':
        'answers by method and status: `GET_200` and so on. `OTHER` is a method that HTTP does not have, or a request that is none',
      connx_errors_total: 'answers with 5xx',
      connx_active_connections: 'connections of clients, counted',
      'connx_response_time_seconds{quantile}':
        "`avg`, `0.95` and `0.99` since the start, by the bounds of Usher's histogram",
      'connx_backend_up{backend}':
        '1 while requests are sent to the backend; 0 also while it is ejected or its breaker is open. Only backends of the file',
      connx_uptime_seconds: 'since the process started',
      connx_requests_per_second: 'since somebody last asked',
    },
  },
  answers({
    'A request that is none': '400',
    'rateLimit, of all clients': '429 with `Retry-After`; `/metrics` is limited too',
    'rateLimit, by address': '429 for that address, and the others are served',
    'A backend cannot be reached':
      'the answer of another backend, as long as few requests need one, and 502 where there is none',
    'No backend is healthy': '503',
    'The breaker of every backend is open':
      '503, until the breaker of one lets a request try. A backend whose breaker is open is left alone as long as others serve',
  }),
  {
    heading: 'Changes of the file',
    columns: ['Part', 'Counts'],
    rows: {
      backends: 'for the next request; one that is gone drains first',
      'backends[].weight': 'for the next request',
      'loadBalancing.algorithm': 'for the next request',
      rateLimit: 'for the next request',
      healthCheck: 'for the next probe',
      circuitBreaker: 'for the next request',
      'A file with a fault': 'is told, and what was before goes on',
    },
  },
] as const;
