import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createLog, type LogLevel } from './log.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 67), steady: never, after: never, every: never };

function never(): never {
  throw new Error('the log needs no timers here');
}

function capture(format: 'json' | 'text', level: LogLevel = 'debug') {
  const lines: string[] = [];
  return { lines, log: createLog({ level, format, clock, write: (line) => lines.push(line) }) };
}

test('text lines are for people: time of day, level, message, key=value', () => {
  const { lines, log } = capture('text');
  log.child({ service: 'health' }).info('backend is up', { backend: 'b1', took: 12, cause: 'two words' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:05\.067 info {2}backend is up service=health backend=b1 took=12 cause="two words"\n$/,
  );
});

test('JSON lines carry time, level, message and the fields', () => {
  const { lines, log } = capture('json');
  log.child({ service: 'health' }).warn('slow', { ms: 12 });
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'warn',
    time: '2026-01-02T03:04:05.067Z',
    service: 'health',
    ms: 12,
    message: 'slow',
  });
});

test.each(['json', 'text'] as const)('lines below the level are not written (%s)', (format) => {
  const { lines, log } = capture(format, 'warn');
  log.debug('one');
  log.info('two');
  log.warn('three');
  log.error('four');
  expect(lines).toHaveLength(2);
});

test.each(['json', 'text'] as const)('secrets are never printed (%s)', (format) => {
  const { lines, log } = capture(format);
  log.info('connecting to redis://user:hunter2@cache:6379', {
    adminToken: 'hunter2',
    headers: { Authorization: 'Bearer hunter2', 'x-api-key': 'hunter2', cookie: ['hunter2'] },
    servers: ['nats://app:hunter2@nats:4222'],
    error: new Error('cannot reach redis://:hunter2@cache', { cause: { password: 'hunter2' } }),
  });
  expect(lines.join('')).not.toContain('hunter2');
  expect(lines.join('')).toContain('cache');
});

test('a value cannot forge a second line or another field', () => {
  const { lines, log } = capture('text');
  log.info('bad\ninput', { path: '/a\n12:00:00.000 error forged', name: 'x y=z', escape: '\u001b[31m' });
  expect(lines.join('').split('\n')).toHaveLength(2);
  expect(lines[0]).toContain('name="x y=z"');
  expect(lines[0]).not.toContain('\u001b');
});

test('errors show their message in the line and their stack below it', () => {
  const { lines, log } = capture('text');
  log.error('failed', { error: new TypeError('no such thing') });
  const [first, second] = lines.join('').split('\n');
  expect(first).toContain('error="no such thing"');
  expect(second).toMatch(/^ {4}at /);
});

test('values that refer to themselves do not end the process', () => {
  const { lines, log } = capture('json');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  log.info('round', { circle, big: 1n });
  expect(lines).toHaveLength(1);
});

test('what is buffered is written when the process exits', () => {
  const script = `
    import { createLog, systemClock } from '@usher/runtime';
    const log = createLog({ level: 'info', format: 'json', clock: systemClock() });
    for (let i = 0; i < 500; i++) log.info('line', { i });
    process.exit(3);`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  expect(status).toBe(3);
  expect(stdout.trim().split('\n')).toHaveLength(500);
});
