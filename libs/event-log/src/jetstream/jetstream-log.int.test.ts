import { jetstream } from '@nats-io/jetstream';
import type { EventLog } from '@usher/ports';
import { RecordingLog, startNatsServer, testEventLog, wallClock } from '@usher/testing';
import { connect } from 'nats';
import { openJetStream } from './open.ts';

testEventLog('JetStream', async () => {
  const server = await startNatsServer();
  const publish = async (subject: string, payload: string): Promise<number> => {
    const connection = await connect({ servers: server.url });
    const { seq } = await jetstream(connection).publish(subject, payload);
    await connection.close();
    return seq;
  };
  return {
    async open(): Promise<EventLog> {
      const options = { servers: [server.url], name: 'test', log: new RecordingLog(), clock: wallClock };
      return (await openJetStream(options)).events;
    },
    async storeRaw(subject, text) {
      await publish(subject, text);
    },
    async storeTornSnapshot(position) {
      const chunk = await publish(`usher.snapshots.${position}.chunk`, 'only the beginning');
      const manifest = { position, format: 1, sha256: 'of the whole', chunks: [chunk, chunk + 1_000_000] };
      await publish(`usher.snapshots.${position}.manifest`, JSON.stringify(manifest));
    },
    dispose: () => server.stop(),
  };
});
