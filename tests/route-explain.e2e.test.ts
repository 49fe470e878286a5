import type { Explanation } from '@usher/domain';
import { tempDir } from '@usher/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { UsherProcess } from './support/usher-process.ts';

const LIMIT_MS = 60_000;
let directory: ReturnType<typeof tempDir>;
let usher: UsherProcess;
let backends: Backend[];

beforeAll(async () => {
  directory = tempDir();
  backends = await Promise.all(['one', 'two', 'three'].map((name) => startBackend(name)));
  const declared = backends.map(({ name, url }) => `{ id: ${name}, url: "${url}" }`).join(', ');
  usher = await UsherProcess.start({
    directory: directory.path,
    config: `
workers: 1
pools:
  web: { health: { type: none }, backends: [${declared}] }
  api: { strategy: maglev, hash: { by: header, name: X-User }, health: { type: none },
    tiers: [{ name: small, vcpu: 1 }, { name: large, vcpu: 4 }], backends: [{ id: four, url: "${backends[0]!.url}" }] }
routes:
  - { id: rest, path: "/*", pool: web }
  - { id: api, host: "*.example.com", path: "/v1/*", pool: api, tier: { header: X-Tier, default: small } }
`,
  });
  await usher.eligible('one', 'two', 'three', 'four');
}, LIMIT_MS);

afterAll(async () => {
  await usher.stop();
  await Promise.all(backends.map((backend) => backend.stop()));
  directory.remove();
}, LIMIT_MS);

const explain = (...args: readonly string[]) => usher.json<Explanation>('route', 'explain', ...args);

test(
  'what is explained is what then happens',
  async () => {
    for (let request = 0; request < 5; request++) {
      const explained = await explain(`GET ${usher.traffic}/x`);
      expect(explained).toMatchObject({ route: 'rest', pool: 'web', gateway: 'usher-1', outcome: 'backend' });
      const served = await fetch(`${usher.traffic}/x`);
      expect(await served.text()).toBe(explained.chosen);
    }
  },
  LIMIT_MS,
);

test(
  'headers, tier, client and place are taken into account, and shown',
  async () => {
    const asked = ['https://a.example.com/v1/x', '-H', 'X-User: mara', '-H', 'X-Tier:large'];
    expect(await explain(...asked)).toMatchObject({
      route: 'api',
      key: { by: 'header', name: 'x-user' },
      tier: { name: 'large', by: 'header' },
      chosen: 'four',
    });
    expect(await explain(...asked, '--tier', 'small')).toMatchObject({
      tier: { name: 'small', by: 'given' },
    });
    const { stdout, code } = await usher.run('route', 'explain', ...asked, '--client-ip', '10.0.0.1');
    expect(code).toBe(0);
    expect(stdout).toMatch(/api +\*\.example\.com +\/v1\/\* +api +matches/);
    expect(stdout).toMatch(/rest +\* +\/\* +web +less_specific/);
    expect(stdout).toContain('tier large (header), reserve none');
    expect(stdout).toMatch(/\* +four +http:\S+ +ok +1 +0/);
    expect(stdout).toMatch(/goes to four\n$/);
  },
  LIMIT_MS,
);

test(
  'routes are listed in the order in which they are preferred',
  async () => {
    const { stdout } = await usher.run('routes');
    expect(stdout).toMatch(/ORDER +ROUTE.*\n1 +api .*\n2 +rest /);
    const listed = await usher.json<readonly { readonly id: string }[]>('routes');
    expect(listed.map(({ id }) => id)).toEqual(['api', 'rest']);
  },
  LIMIT_MS,
);

test.each([
  [['explain'], 2, 'URL is missing'],
  [['show', 'http://a/'], 2, 'route takes explain'],
  [['explain', 'http://a/', '-H', 'nothing'], 2, '-H takes a header'],
  [['explain', 'http://a/', '--from', '91,0'], 2, '--from takes degrees'],
  [['explain', 'ftp://a/'], 1, 'url: expected one such as'],
  [['explain', 'http://a/', '--gateway', 'usher-2'], 1, 'The fleet has no gateway usher-2'],
  [['explain', 'http://a.example.com/v1/x', '--tier', 'huge'], 1, 'there is no tier "huge"'],
] as const)(
  'what makes no sense is refused: %j',
  async (args, code, reason) => {
    const answer = await usher.run('route', ...args);
    expect(answer.stderr).toContain(reason);
    expect(answer.code).toBe(code);
  },
  LIMIT_MS,
);
