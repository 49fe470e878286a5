import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { openJetStream, openNatsBus } from '@usher/event-log';
import { eventSubject } from '@usher/events';
import {
  latencyEvents,
  makeCertificate,
  RecordingLog,
  recordsOf,
  startNatsServer,
  tempDir,
  wallClock,
} from '@usher/testing';
import { connect, type NatsConnection, nkeyAuthenticator, nkeys } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { read } from './compose-file.ts';

const dir = tempDir();
const authority = makeCertificate({ commonName: 'machines', authority: true });
const certificate = makeCertificate({ commonName: 'nats', names: ['localhost'], issuer: authority });
const stranger = makeCertificate({ commonName: 'strangers', authority: true });
const file = (name: string) => path.join(dir.path, name);
const [fleetUser, agentUser, nobody] = [nkeys.createUser(), nkeys.createUser(), nkeys.createUser()];
const environment = {
  USHER_NATS_CERT: file('cert.pem'),
  USHER_NATS_KEY: file('key.pem'),
  USHER_FLEET_NKEY: fleetUser.getPublicKey(),
  USHER_AGENT_WEB_1_NKEY: agentUser.getPublicKey(),
};
const seedOf = (user: ReturnType<typeof nkeys.createUser>) => Buffer.from(user.getSeed()).toString();

let server: Awaited<ReturnType<typeof startNatsServer>>;
let url: string;
let fleet: Awaited<ReturnType<typeof openJetStream>>;
/** Its seed in the hands of somebody who writes clients of their own. */
let agent: NatsConnection;
let head = 0;
const violations: string[] = [];
const heard: string[] = [];

beforeAll(async () => {
  const files = { 'cert.pem': certificate.cert, 'key.pem': certificate.key, 'ca.pem': authority.cert };
  for (const [name, text] of Object.entries({ ...files, 'other.pem': stranger.cert }))
    writeFileSync(file(name), text);
  let config = read('infra/nats/access.conf');
  for (const [name, value] of Object.entries(environment))
    config = config.replaceAll(`$${name}`, JSON.stringify(value));
  server = await startNatsServer(config);
  url = `nats://localhost:${new URL(server.url).port}`;
  fleet = await openJetStream({
    servers: [url],
    credentials: seedOf(fleetUser),
    ca: file('ca.pem'),
    name: 'fleet',
    log: new RecordingLog(),
    clock: wallClock,
  });
  fleet.bus.subscribe('usher.>', (subject) => heard.push(subject));
  fleet.bus.serve('usher.agents.*', async () => 'heard');
  agent = await connect({
    servers: url,
    inboxPrefix: '_INBOX.agent-web-1',
    authenticator: nkeyAuthenticator(agentUser.getSeed()),
    tls: { caFile: file('ca.pem') },
    reconnect: false,
  });
  void (async () => {
    for await (const status of agent.status())
      if (status.type === 'error') violations.push(status.error.message);
  })();
  return async () => {
    await agent.close();
    await fleet.close();
    await server.stop();
  };
});
afterAll(() => dir.remove());

/** All that the agent has sent before has been dealt with when this resolves, with what it led to. */
async function outcome(): Promise<readonly string[]> {
  await agent.flush();
  agent.publish('usher.stats.web-1', 'the end');
  await agent.flush();
  await expect.poll(() => heard.includes('usher.stats.web-1')).toBe(true);
  return heard.splice(0).filter((subject) => subject !== 'usher.stats.web-1');
}

test('the whole of it is a configuration that a server takes', () => {
  const main = read('infra/nats/nats.conf').replace(/^ {2}sync_interval: always$/m, '');
  writeFileSync(file('nats.conf'), main);
  writeFileSync(file('access.conf'), read('infra/nats/access.conf'));
  writeFileSync(file('all.conf'), 'include "nats.conf"\ninclude "access.conf"\n');
  const env = { ...process.env, ...environment };
  const { stderr } = spawnSync('nats-server', ['-t', '-c', file('all.conf')], { encoding: 'utf8', env });
  expect(stderr).toContain('is valid');
});

test('the fleet writes and reads its log', async () => {
  const events = latencyEvents(1);
  ({ position: head } = await fleet.events.append({ subject: eventSubject('health', 'web-1'), events }));
  expect(await recordsOf(fleet.events)).toMatchObject([{ position: head, events }]);
  await outcome();
});

test('nobody gets in without a key that is known, without TLS, or to a server that another authority vouches for', async () => {
  const options = { servers: url, reconnect: false, timeout: 5000 };
  const tls = { caFile: file('ca.pem') };
  await expect(connect({ ...options, tls })).rejects.toThrow(/authorization/i);
  await expect(
    connect({ ...options, tls, authenticator: nkeyAuthenticator(nobody.getSeed()) }),
  ).rejects.toThrow(/authorization/i);
  const known = { authenticator: nkeyAuthenticator(agentUser.getSeed()) };
  await expect(connect({ ...options, ...known, tls: { caFile: file('other.pem') } })).rejects.toThrow();
});

test('with an authority named, a server that speaks no TLS is told nothing', async () => {
  const plain = await startNatsServer();
  const log = new RecordingLog();
  const options = { servers: [plain.url], ca: file('ca.pem'), name: 'one', log, clock: wallClock };
  const opened = await openNatsBus(options);
  await expect(opened.bus.request('usher.x', '', 500)).rejects.toThrow('NATS is not connected');
  expect(log.entries.map(({ fields }) => String(fields['error'])).join()).toContain("'tls'");
  await opened.close();
  await plain.stop();
});

test('an agent reports and registers for its own backend, and hears the answers', async () => {
  agent.publish('usher.stats.web-1', '{}');
  expect((await agent.request('usher.agents.web-1', '{}', { timeout: 2000 })).string()).toBe('heard');
  expect(await outcome()).toEqual(['usher.agents.web-1']);
});

test.each([
  'usher.stats.web-2',
  'usher.stats.web-1.more',
  'usher.stats',
  'usher.agents.web-2',
  'usher.commands.backend.remove',
  'usher.commands.backend.announce',
  'usher.events.collector.web-1',
  'usher.events.scheduler.control',
  'usher.route.gateway-1',
  '_INBOX.fleet.guessed',
  '$JS.API.STREAM.DELETE.USHER_EVENTS',
  '$JS.API.STREAM.PURGE.USHER_EVENTS',
  '$JS.API.STREAM.CREATE.MINE',
  '$JS.API.CONSUMER.CREATE.USHER_EVENTS',
  '$JS.API.STREAM.MSG.GET.USHER_EVENTS',
  '$JS.API.DIRECT.GET.USHER_EVENTS',
  '$SRV.PING',
])('an agent cannot publish to %s, whatever answer it asks for', async (subject) => {
  violations.length = 0;
  agent.publish(subject, '{}');
  agent.publish(subject, '{}', { reply: '_INBOX.agent-web-1.x' });
  expect(await outcome()).toEqual([]);
  await expect.poll(() => violations.length).toBe(2);
  expect(await fleet.events.head()).toBe(head);
});

test.each(['usher.>', 'usher.stats.web-2', 'usher.events.>', '_INBOX.>', '_INBOX.fleet.>', '$SRV.>', '>'])(
  'an agent cannot listen to %s',
  async (subject) => {
    const refused = new Promise<Error | null>((resolve) => {
      agent.subscribe(subject, { callback: (error) => resolve(error) });
    });
    expect((await refused)?.message).toMatch(/permissions violation/i);
  },
);

/** Where an agent would have an answer go that it may not say itself. */
const TARGETS = ['usher.events.scheduler.control', 'usher.commands.backend.remove', 'usher.stats.web-2'];

test.each(TARGETS)('no acknowledgement and no answer can be aimed at %s', async (target) => {
  for (const own of ['usher.stats.web-1', 'usher.agents.web-1']) agent.publish(own, '{}', { reply: target });
  expect(await outcome()).not.toContain(target);
  expect(await fleet.events.head()).toBe(head);
});

test('what is in the log cannot be deleted by whoever has the seed of the fleet', async () => {
  const operator = await connect({
    servers: url,
    authenticator: nkeyAuthenticator(fleetUser.getSeed()),
    tls: { caFile: file('ca.pem') },
  });
  const manager = await jetstreamManager(operator);
  await expect(manager.streams.delete('USHER_EVENTS')).rejects.toThrow();
  await expect(manager.streams.purge('USHER_EVENTS')).rejects.toThrow();
  await expect(manager.streams.deleteMessage('USHER_EVENTS', 1)).rejects.toThrow();
  await operator.close();
});
