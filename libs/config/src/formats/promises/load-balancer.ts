import { answers, calls, examples, strategies } from './section.ts';

export const LOAD_BALANCER = [
  examples({
    'load-balancer.readme.yaml': 'the form of its README',
    'load-balancer.program.json': 'the form of its program',
  }),
  strategies({
    'round-robin': 'to each healthy backend in turn',
    'least-connections': 'to the one with the fewest requests under way',
    'weighted-round-robin': 'by weight: of 3 requests with 1 and 2 one and two',
    random: 'at random: all get about as many',
  }),
  calls({
    'GET metrics.prometheus.path':
      "200 in the format of Prometheus with Usher's names, on the port of the traffic",
  }),
  answers({
    'No backend is healthy': '503',
    'The breaker of every backend is open':
      '503, until the breaker of one lets a request try. A backend whose breaker is open is left alone as long as others serve',
    'A backend answers with 5xx': 'that answer, and not one of the load balancer',
    'A backend cannot be reached': 'with `retry` the answer of another backend, and 502 where there is none',
    'sticky_session by cookie': 'the backend that they had, as long as they send the cookie',
    'sticky_session by ip': 'the backend that they had, by their address without its port',
    'The query of a request': 'an answer to it: it reaches the backend, as its path does, byte by byte',
  }),
] as const;
