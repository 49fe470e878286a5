import { RecordingLog, startNatsServer, testMessageBus, wallClock } from '@usher/testing';
import { connect } from 'nats';
import { describe, expect, it } from 'vitest';
import { openJetStream } from './open.ts';

testMessageBus('NATS', async () => {
  const server = await startNatsServer();
  const options = { servers: [server.url], log: new RecordingLog(), clock: wallClock };
  const here = await openJetStream({ ...options, name: 'here' });
  const there = await openJetStream({ ...options, name: 'there' });
  let marks = 0;
  return {
    here: here.bus,
    there: there.bus,
    /** What the server answers to one end, it knows from both: each end has sent what came before. */
    async settled() {
      for (const [one, other] of [
        [here, there],
        [there, here],
      ] as const) {
        const subject = `usher.test.mark.${marks++}`;
        const serving = other.bus.serve(subject, async () => 'seen');
        while ((await one.bus.request(subject, '', 1000).catch(() => 'not yet')) !== 'seen');
        serving.stop();
      }
    },
    async dispose() {
      await here.close();
      await there.close();
      await server.stop();
    },
  };
});

describe('NATS bus', () => {
  it('serves and subscribes before there is a server, and again after it was killed', async () => {
    const server = await startNatsServer();
    await server.kill9();
    const log = new RecordingLog();
    const one = await openJetStream({ servers: [server.url], name: 'one', log, clock: wallClock });
    one.bus.serve('usher.commands.x', async () => 'done');
    const refused = await one.bus.request('usher.commands.x', '', 1000).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'no_leader', detail: 'NATS is not connected' });
    one.bus.publish('usher.stats.a', 'dropped');
    for (let round = 0; round < 2; round++) {
      await server.restart();
      const other = await connect({ servers: server.url });
      const ask = async () => (await other.request('usher.commands.x', '', { timeout: 500 })).string();
      while ((await ask().catch(() => 'not yet')) !== 'done');
      await other.close();
    }
    await one.close();
    await server.stop();
  });

  it('does not send its answer to where events are stored, whoever asks it to', async () => {
    const server = await startNatsServer();
    const log = new RecordingLog();
    const { bus, events, close } = await openJetStream({
      servers: [server.url],
      name: 'one',
      log,
      clock: wallClock,
    });
    let asked = 0;
    bus.serve('usher.commands.x', async () => {
      asked += 1;
      return '[]';
    });
    const attacker = await connect({ servers: server.url });
    while ((await bus.request('usher.commands.x', '', 500).catch(() => 'not yet')) !== '[]');
    const before = asked;
    attacker.publish('usher.commands.x', '', { reply: 'usher.events.scheduler.control' });
    await attacker.flush();
    await bus.request('usher.commands.x', '', 1000);
    expect(asked).toBe(before + 1);
    expect(await events.head()).toBe(0);
    await attacker.close();
    await close();
    await server.stop();
  });
});
