import { expect, test } from 'vitest';
import { imported } from './testing/imported.ts';

const HELIOS = 'server: { port: 8080 }, backends: [{ name: a, address: "http://10.0.0.1" }]';
const BACKENDS = 'backends: [{ id: a, url: "http://10.0.0.1" }]';
const VELO = 'backends: { urls: ["http://10.0.0.1"] }';

test.each([
  [
    'helios',
    `{ ${HELIOS}, health_checks: { active: { enabled: true, interval: 2, timeout: 5 } } }`,
    '2s',
    /^1:\d+ health_checks.active.timeout: changed: .*2s$/m,
  ],
  ['connx', `{ ${BACKENDS}, healthCheck: { interval: 3 } }`, '3s', /^1:\d+ healthCheck.interval: changed/m],
  ['velo', `{ ${VELO}, health: { interval: 1s } }`, '1s', /^1:\d+ health.interval: changed/m],
  [
    'load-balancer',
    `{ ${BACKENDS}, health_check: { interval: 1s, timeout: 1m } }`,
    '1s',
    /^1:\d+ health_check.timeout: changed/m,
  ],
  [
    'opsen-server',
    '{ health_check_interval_seconds: 1 }',
    '1s',
    /^1:\d+ health_check_interval_seconds: changed: a probe takes no longer than the interval: 1s$/m,
  ],
  [
    'haproxy',
    'backend a\n  timeout check 5s\n  server s 10.0.0.1:80 check inter 2s\nfrontend f\n  bind :80\n  default_backend a\n',
    '2s',
    /^2:\d+ timeout check: changed/m,
  ],
])('a probe of %s takes no longer than its interval, which is told', (format, text, time, note) => {
  const { file, notes } = imported(text, format);
  const [pool] = Object.values(file['pools'] as Record<string, object>);
  expect(pool).toHaveProperty('health.interval', time);
  expect(pool).toHaveProperty('health.timeout', time);
  expect(notes.join('\n')).toMatch(note);
});
