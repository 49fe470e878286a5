import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventLog } from '@usher/ports';
import { RecordingLog, tempDir, testEventLog, wallClock } from '@usher/testing';
import { formatLine } from './line.ts';
import { openEmbedded } from './open.ts';

testEventLog('embedded', async () => {
  const dir = tempDir();
  const options = { dir: dir.path, log: new RecordingLog(), clock: wallClock };
  const open = async (): Promise<EventLog> => (await openEmbedded(options)).events;
  return {
    open,
    async storeRaw(subject, text) {
      const log = await open();
      const position = (await log.head()) + 1;
      await log.close();
      const segments = join(dir.path, 'segments');
      const newest = readdirSync(segments).toSorted().at(-1) ?? '';
      appendFileSync(join(segments, newest), formatLine(position, subject, '', text));
    },
    async storeTornSnapshot(position) {
      const log = await open();
      await log.saveSnapshot({ position, format: 1, state: 'x'.repeat(1000) });
      await log.close();
      const snapshots = join(dir.path, 'snapshots');
      const newest = join(snapshots, readdirSync(snapshots).toSorted().at(-1) ?? '');
      writeFileSync(newest, readFileSync(newest).subarray(0, -400));
    },
    async dispose() {
      dir.remove();
    },
  };
});
