import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { end, type Started, start, USHER } from './support/command.ts';
import { freePorts, type Ports } from './support/ports.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 60_000;

let directory: ReturnType<typeof tempDir>;
let ports: Ports;
const busy: Server[] = [];

beforeEach(async () => {
  directory = tempDir();
  ports = await freePorts();
});

afterEach(() => {
  for (const server of busy.splice(0)) server.close();
  directory.remove();
});

function run(config: string): Started {
  const file = path.join(directory.path, 'usher.yaml');
  writeFileSync(
    file,
    `name: usher-1
listen: ["127.0.0.1:${ports.traffic}"]
admin: { address: "127.0.0.1:${ports.admin}" }
metrics: { address: "127.0.0.1:${ports.metrics}" }
data: ./data
pools: { web: { health: { type: none } } }
routes: [{ path: "/*", pool: web }]
${config}`,
  );
  return start(USHER, ['run', '--config', file], directory.path);
}

async function occupy(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  busy.push(server);
}

test.each([
  ['listen', 'traffic'],
  ['admin.address', 'admin'],
  ['metrics.address', 'metrics'],
] as const)(
  'a start that finds the port of %s taken ends, names the key, and leaves nothing behind',
  async (key, what) => {
    const port = ports[what];
    await occupy(port);
    const { code, stderr } = await run('').result;
    expect(code).toBe(1);
    expect(stderr).toContain(`usher: ${key}: cannot listen on 127.0.0.1:${port}: another process listens`);
    for (const server of busy.splice(0)) server.close();
    const again = run('');
    await until('ready', () => again.output().includes('"ready"'));
    expect((await end(again, 'SIGTERM')).code).toBe(0);
  },
  LIMIT_MS,
);

test(
  'the first SIGTERM ends a process that is still starting',
  async () => {
    // A NATS server that accepts connections and says nothing: the start waits.
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    busy.push(silent);
    const accepted = once(silent, 'connection');
    const { port } = silent.address() as AddressInfo;
    const starting = run(`bus: { servers: ["nats://127.0.0.1:${port}"] }\nstore: "redis://127.0.0.1:1"\n`);
    await accepted;
    await end(starting, 'SIGTERM');
    expect(starting.output()).toContain('SIGTERM while starting');
  },
  LIMIT_MS,
);
