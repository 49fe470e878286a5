import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeCertificate } from '@usher/testing';
import { afterAll, expect } from 'vitest';
import { end, start, USHER } from '../support/command.ts';
import { ForeignRuns } from '../support/foreign-runs.ts';
import { testRows } from '../support/page-rows.ts';
import { freePort, freePorts } from '../support/ports.ts';

const LIMIT_MS = 120_000;
const DOCUMENTED = new URL('../../libs/config/src/formats/testing/documented/', import.meta.url);

const runs = new ForeignRuns();
afterAll(() => runs.end(), LIMIT_MS);

const documented = (name: string) => readFileSync(new URL(name, DOCUMENTED), 'utf8');

/** Runs a documented file as it is, but for the addresses that it listens on, and ends it. */
async function starts(name: string, title: string, addresses: readonly string[] = []): Promise<void> {
  const { cert, key } = makeCertificate();
  writeFileSync(path.join(runs.directory, 'cert.pem'), cert);
  writeFileSync(path.join(runs.directory, 'key.pem'), key);
  const ports = await freePorts();
  const others: Record<string, string> = {};
  for (const address of addresses) others[address] = `127.0.0.1:${await freePort()}`;
  const file = path.join(runs.directory, name);
  const started = await runs.runFile(file, documented(name), {
    ports,
    set: { listen: listenAt(name, ports.traffic), ...others },
  });
  expect(started.output()).toContain(`this is a configuration of ${title}; it was translated`);
  expect((await end(started, 'SIGTERM')).code).toBe(0);
}

const listenAt = (name: string, port: number) =>
  name === 'load-balancer.readme.yaml'
    ? `[{ address: "127.0.0.1:${port}", tls: { certificates: [{ cert: cert.pem, key: key.pem }] } }]`
    : `[{ address: "127.0.0.1:${port}" }]`;

/** Files of agents run nothing: they are imported. */
async function becomesCommand(name: string, command: RegExp): Promise<void> {
  const file = path.join(runs.directory, name);
  writeFileSync(file, documented(name));
  const { code, stdout } = await start(USHER, ['import', file], runs.directory).result;
  expect(code).toBe(0);
  expect(stdout).toMatch(command);
}

const helios = async (name: string) => await starts(name, 'Helios', ['helios.address']);
const opsen = async (name: string) => await starts(name, 'Opsen (server)', ['opsen.address']);

testRows(
  'helios',
  'Examples',
  {
    'helios.basic.yaml': async () => await starts('helios.basic.yaml', 'Helios'),
    'helios.whole.yaml': async () => await helios('helios.whole.yaml'),
    'helios.docker.yaml': async () => await helios('helios.docker.yaml'),
    'helios.address-lists.yaml': async () => await helios('helios.address-lists.yaml'),
  },
  LIMIT_MS,
);

testRows(
  'connx',
  'Examples',
  {
    'connx.whole.yaml': async () => await starts('connx.whole.yaml', 'ConnX'),
    'connx.list-of-addresses.yaml': async () => await starts('connx.list-of-addresses.yaml', 'ConnX'),
  },
  LIMIT_MS,
);

testRows(
  'velo',
  'Examples',
  { 'velo.whole.yaml': async () => await starts('velo.whole.yaml', 'Velo') },
  LIMIT_MS,
);

testRows(
  'load-balancer',
  'Examples',
  {
    'load-balancer.readme.yaml': async () => await starts('load-balancer.readme.yaml', 'load-balancer'),
    'load-balancer.program.json': async () => await starts('load-balancer.program.json', 'load-balancer'),
  },
  LIMIT_MS,
);

testRows(
  'opsen',
  'Examples',
  {
    'opsen-server.readme.yml': async () => await opsen('opsen-server.readme.yml'),
    'opsen-server.docker.yml': async () => await opsen('opsen-server.docker.yml'),
    'opsen-server.systemd.yml': async () => await opsen('opsen-server.systemd.yml'),
    'opsen-server.local.yml': async () => await opsen('opsen-server.local.yml'),
    'opsen-agent.readme.yml': async () => await becomesCommand('opsen-agent.readme.yml', /^usher agent /),
    'opsen-agent.docker.yml': async () =>
      await becomesCommand('opsen-agent.docker.yml', /^usher agent .*--token env:USHER_TOKEN/),
    'opsen-agent.paths.yml': async () =>
      await becomesCommand('opsen-agent.paths.yml', /--register https:\/\/backend:11000/),
  },
  LIMIT_MS,
);
