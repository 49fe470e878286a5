import { jetstreamManager } from '@nats-io/jetstream';
import { RecordingLog, startNatsServer, wallClock } from '@usher/testing';
import { connect, nkeyAuthenticator, nkeys } from 'nats';
import { expect, it } from 'vitest';
import { openJetStream } from './open.ts';
import { openNatsBus } from './open-bus.ts';

const seedOf = (user: ReturnType<typeof nkeys.createUser>) => Buffer.from(user.getSeed()).toString();

it('serves an agent that may use its own subjects only, and drops what it says in another’s name', async () => {
  const [fleetUser, agentUser] = [nkeys.createUser(), nkeys.createUser()];
  const server = await startNatsServer(`authorization { users = [
    { nkey: ${fleetUser.getPublicKey()} }
    { nkey: ${agentUser.getPublicKey()}, permissions: {
        publish: ["usher.stats.web-1", "usher.agents.web-1"], subscribe: "_INBOX.agent-web-1.>" } }
  ] }`);
  const log = new RecordingLog();
  const options = { servers: [server.url], log, clock: wallClock };
  const fleet = await openJetStream({ ...options, name: 'fleet', credentials: seedOf(fleetUser) });
  const heard: string[] = [];
  fleet.bus.subscribe('usher.>', (subject) => heard.push(subject));
  fleet.bus.serve('usher.agents.*', async (subject) => `for ${subject}`);

  const agent = await openNatsBus({ ...options, name: 'agent-web-1', credentials: seedOf(agentUser) });
  const answer = async () => await agent.bus.request('usher.agents.web-1', '{}', 1_000).catch(() => '');
  while ((await answer()) === '');
  expect(await answer()).toBe('for usher.agents.web-1');
  heard.length = 0;
  for (const forbidden of [
    'usher.stats.web-2',
    'usher.events.collector.web-1',
    'usher.commands.backend.remove',
  ])
    agent.bus.publish(forbidden, '{}');
  await expect(agent.bus.request('usher.agents.web-2', '{}', 1_000)).rejects.toThrow();
  agent.bus.publish('usher.stats.web-1', '{}');
  await expect.poll(() => heard).toEqual(['usher.stats.web-1']);

  // The server goes and comes back: the agent goes on by itself.
  await server.restart();
  await expect
    .poll(
      () => {
        agent.bus.publish('usher.stats.web-1', '{}');
        return heard.length;
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThan(3);
  await agent.close();
  await fleet.close();
  await server.stop();
});

it.each([
  ['acknowledges', true],
  ['does not', false],
])(
  'whether a stream that takes statistics lets agents publish elsewhere: one that %s',
  async (_what, acknowledges) => {
    const [fleetUser, agentUser] = [nkeys.createUser(), nkeys.createUser()];
    const server = await startNatsServer(`authorization { users = [
    { nkey: ${fleetUser.getPublicKey()} }
    { nkey: ${agentUser.getPublicKey()}, permissions: { publish: "usher.stats.web-1", subscribe: "_INBOX.agent.>" } }
  ] }`);
    const open = async (user: typeof fleetUser) =>
      await connect({ servers: server.url, authenticator: nkeyAuthenticator(user.getSeed()) });
    const [operator, agent] = [await open(fleetUser), await open(agentUser)];
    const manager = await jetstreamManager(operator);
    await manager.streams.add({ name: 'STATISTICS', subjects: ['usher.stats.>'], no_ack: !acknowledges });
    const heard: string[] = [];
    operator.subscribe('usher.commands.>', { callback: (_error, { subject }) => void heard.push(subject) });
    await operator.flush();
    agent.publish('usher.stats.web-1', '{}', { reply: 'usher.commands.backend.remove' });
    await agent.flush();
    await expect.poll(async () => (await manager.streams.info('STATISTICS')).state.messages).toBe(1);
    await operator.flush();
    expect(heard).toEqual(acknowledges ? ['usher.commands.backend.remove'] : []);
    await Promise.all([agent.close(), operator.close()]);
    await server.stop();
  },
);
