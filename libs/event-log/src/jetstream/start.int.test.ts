import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ConflictError, LogUnavailableError } from '@usher/ports';
import { follow, latencyEvents, RecordingLog, startNatsServer, tempDir, wallClock } from '@usher/testing';
import { nkeys } from 'nats';
import { describe, expect, it } from 'vitest';
import { openJetStream } from './open.ts';

const log = new RecordingLog();
const options = { name: 'test', log, clock: wallClock };

/** Something that greets as a NATS server of a version does. */
async function pretendServer(version: string): Promise<{ server: Server; url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`INFO {"version":"${version}","max_payload":1048576,"headers":true,"proto":1}\r\n`);
    socket.on('data', () => socket.write('PONG\r\n'));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return { server, url: `nats://127.0.0.1:${port}` };
}

describe('opening the JetStream log', () => {
  it.each(['2.8.4', '1.4.1'])(
    'refuses server version %s, which ignores what is relied on',
    async (version) => {
      const { server, url } = await pretendServer(version);
      await expect(openJetStream({ ...options, servers: [url] })).rejects.toThrow(
        `has version ${version}; Usher needs 2.9`,
      );
      server.close();
    },
  );

  it('says which durability the server gives', async () => {
    const server = await startNatsServer();
    const own = new RecordingLog();
    const { close } = await openJetStream({ ...options, log: own, servers: [server.url] });
    expect(own.entries).toMatchObject([
      { level: 'info', fields: { durability: expect.stringContaining('power loss') } },
    ]);
    await close();
    await server.stop();
  });

  it('proves who it is by an nkey seed, given as text or as a file, and is refused with another', async () => {
    const user = nkeys.createUser();
    const seed = Buffer.from(user.getSeed()).toString();
    const server = await startNatsServer(`authorization { users = [ { nkey: ${user.getPublicKey()} } ] }`);
    const servers = [server.url];
    const dir = tempDir();
    const file = join(dir.path, 'usher.nk');
    writeFileSync(file, `${seed}\n`);
    for (const credentials of [seed, file, `file:${file}`]) {
      const { events, close } = await openJetStream({ ...options, servers, credentials });
      await events.append({ subject: 'usher.events.a', events: latencyEvents(1) });
      await close();
    }
    const stranger = Buffer.from(nkeys.createUser().getSeed()).toString();
    await expect(openJetStream({ ...options, servers, credentials: stranger })).rejects.toThrow(
      /authorization/i,
    );
    await expect(openJetStream({ ...options, servers })).rejects.toThrow(/authorization/i);
    dir.remove();
    await server.stop();
  });

  it('works with an account that may do no more than it has to', async () => {
    const [maker, user] = [nkeys.createUser(), nkeys.createUser()];
    const publish = [
      'usher.events.gateway.>',
      'usher.snapshots.>',
      'usher.commands.>',
      '_INBOX.>',
      '$JS.API.INFO',
      '$JS.API.STREAM.INFO.*',
      '$JS.API.STREAM.MSG.GET.*',
      '$JS.API.STREAM.PURGE.USHER_SNAPSHOTS',
      '$JS.API.CONSUMER.CREATE.USHER_EVENTS.>',
      '$JS.API.CONSUMER.DELETE.USHER_EVENTS.>',
      '$JS.FC.USHER_EVENTS.>',
    ];
    const permissions = `publish: { allow: ${JSON.stringify(publish)} }
      subscribe: { allow: ["usher.commands.>", "_INBOX.test.>"] }`;
    const server = await startNatsServer(`authorization { users = [
      { nkey: ${maker.getPublicKey()} }
      { nkey: ${user.getPublicKey()}, permissions: { ${permissions} } }
    ] }`);
    const own = new RecordingLog();
    const open = (one: typeof user) => {
      const credentials = Buffer.from(one.getSeed()).toString();
      return openJetStream({ ...options, log: own, servers: [server.url], credentials });
    };
    // The streams are made by somebody who may.
    await (await open(maker)).close();
    const { events, bus, close } = await open(user);
    const subject = 'usher.events.gateway.gw-1';
    const { position } = await events.append({ subject, events: latencyEvents(1), expect: 0 });
    await expect(events.append({ subject, events: latencyEvents(1), expect: 0 })).rejects.toThrow(
      ConflictError,
    );
    const followed = follow(events);
    await followed.seen(1);
    await followed.tail.stop();
    expect(await events.replay(0, () => {})).toBe(position);
    for (let index = 1; index <= 10; index++) {
      await events.saveSnapshot({ position: index, format: 1, state: 'state' });
    }
    expect((await events.loadSnapshot())?.position).toBe(10);
    expect(await events.loadSnapshot(2)).toBeUndefined();
    bus.serve('usher.commands.x', async () => 'done');
    expect(await bus.request('usher.commands.x', '', 1000)).toBe('done');
    const denied = events.append({ subject: 'usher.events.scheduler.control', events: latencyEvents(1) });
    await expect(denied).rejects.toThrow(LogUnavailableError);
    expect(own.entries.filter(({ level }) => level !== 'info')).toHaveLength(1);
    await close();
    await server.stop();
  });

  it('refuses credentials that are none', async () => {
    const servers = ['nats://127.0.0.1:1'];
    await expect(openJetStream({ ...options, servers, credentials: '/no/such/file' })).rejects.toThrow(
      'ENOENT',
    );
    const dir = tempDir();
    const file = join(dir.path, 'empty');
    writeFileSync(file, 'not a seed');
    await expect(openJetStream({ ...options, servers, credentials: file })).rejects.toThrow('neither');
    dir.remove();
  });
});
