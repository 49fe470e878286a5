import { answers, calls, examples, strategies } from './section.ts';

export const VELO = [
  examples({ 'velo.whole.yaml': 'the configuration of its README, which has all of its defaults' }),
  strategies({
    roundrobin: 'to each backend in turn',
    leastconnection: 'to the one with the fewest requests under way',
  }),
  calls({
    'GET /metrics':
      '200 `{"web":{total_requests, failed_requests, active_connections}}`, on the port of the traffic and where `metrics.path` says; the key is the id of the pool, which stays the same',
    'GET /metrics?format=usher': 'the format of Prometheus',
  }),
  answers({
    'No backend is healthy': '503',
    'The breaker of every backend is open':
      '503, until the breaker of one lets a request try. A backend whose breaker is open is left alone as long as others serve',
    'A backend fails': '502 where it cannot be reached and no other can; an answer with 5xx is passed on',
  }),
  {
    heading: 'Flags',
    columns: ['Flag', 'Is'],
    rows: {
      '-config': '`--config`',
      '-generate-config': '`bin/usher generate-config`, which prints a file of Usher',
    },
  },
] as const;
