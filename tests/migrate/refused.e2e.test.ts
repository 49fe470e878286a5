import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { start, USHER } from '../support/command.ts';

const directory = tempDir();
afterAll(() => directory.remove());

test('a file of an agent, of nginx or with faults is not run, and it is said why', async () => {
  for (const [name, text, reason] of [
    ['client.yml', 'server_url: http://lb:8080\nwindow_minutes: 15\n', 'no load balancer'],
    ['nginx.conf', 'http { server { location / { proxy_pass http://a:1; } } }', 'look over what'],
    [
      'helios.yaml',
      'load_balancer: { strategy: robin }\nbackends: []\n',
      ':1:28 load_balancer.strategy: expected one of',
    ],
  ] as const) {
    const file = path.join(directory.path, name);
    writeFileSync(file, text);
    const { code, stderr } = await start(USHER, ['run', '--config', file], directory.path).result;
    expect(code, name).toBe(2);
    expect(stderr).toContain(reason);
  }
});
