import { CONTROL_SUBJECT, envelop } from '@usher/events';
import { RecordingLog, seededRandom, startNatsServer, wallClock } from '@usher/testing';
import { nkeys } from 'nats';
import { expect, it } from 'vitest';
import { examineNats } from './examine.ts';
import { openJetStream } from './open.ts';

const RIGHTS = {
  subscribe: ['usher.commands.>'],
  publish: ['usher.commands.any'],
  append: [CONTROL_SUBJECT],
};

it('finds nothing wrong with a server as it should be, tells its time, and leaves the log as it was', async () => {
  const server = await startNatsServer();
  const log = new RecordingLog();
  const options = { servers: [server.url], name: 'one', clock: wallClock };
  expect(await examineNats(options, RIGHTS)).toMatchObject({ stream: undefined, refused: [] });
  const fleet = await openJetStream({ ...options, log });
  const commands: string[] = [];
  fleet.bus.serve('usher.commands.>', async (subject) => {
    commands.push(subject);
    return '';
  });
  const random = seededRandom(1);
  const context = { source: 'usher/scheduler/one', timeMs: wallClock.now() + 60_000, actor: 'one' };
  const draft = { type: 'gateway.lost', subject: 'g', data: { gateway: 'g', cause: 'silent' } } as const;
  const events = envelop([draft], context, () => random.uuid());
  await fleet.events.append({ subject: CONTROL_SUBJECT, events });

  const found = await examineNats(options, RIGHTS);
  expect(found).toMatchObject({ refused: [], stream: { weaknesses: [], loss: undefined } });
  const { askedMs = 0, theirMs = 0, answeredMs = 0 } = found.clock ?? {};
  expect(theirMs).toBeGreaterThanOrEqual(askedMs - 1);
  expect(theirMs).toBeLessThanOrEqual(answeredMs + 1);
  expect(found.lagMs.get('usher/scheduler/one')).toBeLessThan(-50_000);
  expect(await fleet.events.head()).toBe(1);
  expect(commands).toEqual([]);
  await fleet.close();
  await server.stop();
});

it('names each right that is missing, and says who cannot be reached', async () => {
  const [all, some] = [nkeys.createUser(), nkeys.createUser()];
  const server = await startNatsServer(`authorization { users = [
    { nkey: ${all.getPublicKey()} }
    { nkey: ${some.getPublicKey()}, permissions: {
        publish: { allow: ["$JS.API.>", "usher.events.gateway.>"] }, subscribe: "_INBOX.>" } }
  ] }`);
  const common = { servers: [server.url], clock: wallClock };
  const credentialsOf = (user: typeof all) => Buffer.from(user.getSeed()).toString();
  const fleet = await openJetStream({
    ...common,
    name: 'all',
    credentials: credentialsOf(all),
    log: new RecordingLog(),
  });
  const options = { ...common, name: 'some', credentials: credentialsOf(some) };
  const { refused, clock: reading } = await examineNats(options, RIGHTS);
  expect(refused).toEqual([
    'publish to usher.commands.any',
    `publish to ${CONTROL_SUBJECT}`,
    'subscribe to usher.commands.>',
  ]);
  expect(reading).toBeDefined();
  await fleet.close();
  await expect(examineNats({ ...common, name: 'nobody' }, RIGHTS)).rejects.toThrow('Authorization');
  await server.stop();
  await expect(examineNats(options, RIGHTS)).rejects.toThrow('refused');
});
