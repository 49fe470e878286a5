import { parseConfigText, type UsherConfig } from '@usher/config';
import { createMetrics } from '@usher/runtime';
import { RecordingLog, SimulatedClock } from '@usher/testing';
import { expect, test } from 'vitest';
import { ConfigFollower } from './config-follower.ts';
import { ConfigHealth } from './config-health.ts';

/** A follower of what `file` holds, and what it has made of it. */
function follow(text: string) {
  const log = new RecordingLog();
  const clock = new SimulatedClock();
  const metrics = createMetrics();
  const health = new ConfigHealth({ clock, metrics });
  const file = { text, reads: 0 };
  const applied: UsherConfig[] = [];
  const world = { refusal: undefined as string | undefined };
  const follower = new ConfigFollower({
    config: parseConfigText(text),
    log,
    health,
    read: async () => {
      file.reads += 1;
      return parseConfigText(file.text);
    },
    apply: async (config) => {
      if (world.refusal !== undefined) throw new Error(world.refusal);
      applied.push(config);
    },
  });
  const messages = () => log.entries.map(({ message }) => message);
  return { follower, file, applied, world, log, messages, clock, health, metrics };
}

test('a file that says the same changes nothing', async () => {
  const { follower, file, applied, messages } = follow('listen: [":8080"]');
  file.text = '# the same\nlisten: ["0.0.0.0:8080"]';
  await follower.look();
  expect([applied, messages()]).toEqual([[], []]);
});

test('what cannot be used is tried again at every look, and told once', async () => {
  const { follower, file, applied, world, messages } = follow('listen: [":8080"]');
  file.text = 'listen: [":8081"]';
  world.refusal = 'taken';
  await follower.look();
  await follower.look();
  expect(messages()).toEqual(['the configuration cannot be used, the old one stays']);
  world.refusal = undefined;
  await follower.look();
  await follower.look();
  expect(applied.map(({ local }) => local.listen[0]?.port)).toEqual([8081]);
  expect(messages().slice(1)).toEqual(['the new configuration is in use']);
});

test('a fault that is taken back is over', async () => {
  const { follower, file, messages } = follow('listen: [":8080"]');
  for (const text of ['listen: 1', 'listen: [":8080"]', 'listen: 1']) {
    file.text = text;
    await follower.look();
  }
  const faulty = 'the configuration is faulty, the old one stays';
  expect(messages()).toEqual([faulty, 'the configuration is the old one again', faulty]);
});

test('a file that is refused shows, with its first fault and since when, until a good one is taken up', async () => {
  const { follower, file, world, clock, health, metrics } = follow('listen: [":8080"]');
  const valid = async () => /^usher_config_valid (\d)$/m.exec(await metrics.render())?.[1];
  expect([health.status.fault(), health.health.fault(), await valid()]).toEqual([undefined, undefined, '1']);
  const since = new Date(clock.now()).toISOString();
  file.text = 'listen: 1\nwrong: 1';
  await follower.look();
  clock.advance(60_000);
  await follower.look();
  expect(health.status.fault()).toMatch(new RegExp(`refused since ${since};.*: usher.yaml:1:9 listen: `));
  expect(health.status.fault()).not.toContain('wrong');
  expect(health.health.fault()).toContain(since);
  expect(health.health.fault()).not.toContain('usher.yaml');
  expect(await valid()).toBe('0');
  file.text = 'listen: [":8081"]';
  world.refusal = 'the port is taken';
  await follower.look();
  expect(health.status.fault()).toMatch(new RegExp(`refused since ${since};.*: the port is taken$`));
  world.refusal = undefined;
  await follower.look();
  expect([health.status.fault(), await valid()]).toEqual([undefined, '1']);
  file.text = '[]';
  await follower.look();
  expect(await valid()).toBe('0');
  file.text = 'listen: [":8081"]';
  await follower.look();
  expect([health.status.fault(), health.health.fault(), await valid()]).toEqual([undefined, undefined, '1']);
});

test('looks that come while one is under way are one more', async () => {
  const { follower, file } = follow('{}');
  await Promise.all([follower.look(), follower.look(), follower.look()]);
  expect(file.reads).toBe(2);
});

test('what needs a restart is named when that changes, also beside what does not', async () => {
  const { follower, file, applied, log } = follow('workers: 1\nname: a');
  for (const text of [
    'workers: 2\nname: a',
    'workers: 3\nname: a\nlisten: [":1"]',
    'workers: 3\nname: b',
    '{}',
  ]) {
    file.text = text;
    await follower.look();
  }
  const warnings = log.entries.filter(({ level }) => level === 'warn');
  expect(warnings.map(({ fields }) => fields['keys'])).toEqual(['workers', 'name, workers']);
  expect(applied).toHaveLength(2);
});

test('a file that ends before its routes takes nothing away, unless it says that there are none', async () => {
  const pools = 'pools: { web: { health: { type: none }, backends: ["http://10.0.0.1:80"] } }\n';
  const routes = 'routes: [{ path: "/*", pool: web }]\n';
  const { follower, file, applied, log } = follow(`data: ./data\n${pools}${routes}`);
  for (const text of ['data: ./data\n', `data: ./data\n${pools}`]) {
    file.text = text;
    await follower.look();
    expect(applied).toEqual([]);
  }
  expect(log.entries.map(({ fields }) => fields?.['cause'])).toEqual([
    expect.stringContaining(
      'it says nothing of routes, and the one in use has some: it looks partly written',
    ),
  ]);
  file.text = 'routes: []\n';
  await follower.look();
  expect(applied.map(({ shared }) => [shared.pools, shared.routes])).toEqual([[[], []]]);
});
