import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { cityDatabase, tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { startBackend } from './support/backend.ts';
import { end, usher as run, start, USHER } from './support/command.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const CONFIG = `geoip: { database: city.mmdb }
pools:
  web: { strategy: resource, agents: true, health: { type: none } }
routes:
  - { path: "/*", pool: web }
`;
const BERLIN = { latitude: 52.52, longitude: 13.4 };
const ISLAND = { latitude: 0, longitude: 0 };

const directory = tempDir();
afterAll(() => directory.remove());

interface Row {
  readonly id: string;
  readonly endpoints: readonly { readonly path: string; readonly url: string }[];
  readonly place: typeof BERLIN | null;
}

test('endpoints and places come from commands and agents, are shown, and decide who serves', async () => {
  const [main, api, beside] = await Promise.all(['main', 'api', 'beside'].map(startBackend));
  const database = path.join(directory.path, 'city.mmdb');
  // Whoever asks is near the agent.
  const entries = [
    { network: '81.2.69.0/24', ...BERLIN },
    { network: '127.0.0.0/8', ...BERLIN },
  ];
  writeFileSync(database, cityDatabase(entries));
  const usher = await UsherProcess.start({ directory: directory.path, config: CONFIG });
  const served = async (at: string) => await (await fetch(usher.traffic + at)).text();
  const row = async (wanted: string) =>
    (await usher.json<readonly Row[]>('backends')).find(({ id }) => id === wanted);
  const where = `--register ${beside!.url} --pool web --geoip ${database} --public-address 81.2.69.142`;
  const agent = start(USHER, `agent --backend near --url ${usher.admin} ${where}`.split(' '), directory.path);
  try {
    await until('registered', async () => (await row('near')) !== undefined);
    expect(await row('near')).toMatchObject({ endpoints: [], place: BERLIN });
    await until('in service', async () => (await served('/')) === 'beside');

    const endpoint = `/api/*=${api!.url}`;
    const declared = ['--pool', 'web', '--id', 'far', '--url', main!.url, '--endpoint', endpoint];
    await usher.run('backends', 'add', ...declared, '--place', '0,0');
    expect(await row('far')).toMatchObject({ endpoints: [{ path: '/api/*', url: api!.url }], place: ISLAND });
    for (let round = 0; round < 5; round++) expect(await served('/')).toBe('beside');
    expect((await end(agent, 'SIGTERM')).code).toBe(0);
    await until('gone', async () => (await served('/')) === 'main');
    expect(await served('/api/x?y')).toBe('api');
    await usher.run('backends', 'update', 'far', '--endpoint', 'none', '--place', '52.5,13.4');
    expect(await row('far')).toMatchObject({ endpoints: [], place: { latitude: 52.5, longitude: 13.4 } });
    await until('one endpoint', async () => (await served('/api/x?y')) === 'main');
    await usher.run('backends', 'update', 'far', '--endpoint', endpoint, '--place', 'none');
    expect(await row('far')).toMatchObject({ endpoints: [{ path: '/api/*', url: api!.url }], place: null });
    await until('two endpoints', async () => (await served('/api/x?y')) === 'api');
  } finally {
    agent.child.kill('SIGKILL');
    await usher.kill9();
    await Promise.all([main, api, beside].map((backend) => backend!.stop()));
  }
});

test.each([
  ['backends add --pool p --id i --url http://a --endpoint http://b', '--endpoint takes a path and a URL'],
  ['backends add --pool p --id i --url http://a --place 0', '--place takes degrees'],
  ['backends update i --endpoint none --endpoint /a=http://b', '--endpoint takes a path and a URL'],
  ['agent --backend b --url http://a --geoip f', '--geoip is for --register'],
  [
    'agent --backend b --url http://a --register http://b --pool p --geoip f --place 0,0',
    'give either --place or --geoip',
  ],
  [
    'agent --backend b --url http://a --register http://b --pool p --public-address 1.1.1.1',
    '--public-address is for --geoip',
  ],
  [
    'agent --backend b --url http://a --register http://b --pool p --geoip f --public-address here',
    '--public-address takes an IP address',
  ],
])('%s is refused', async (line, message) => {
  const { code, stderr } = await run(line.split(' '));
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
