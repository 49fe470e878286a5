import { RecordingLog, testMessageBus, wallClock } from '@usher/testing';
import { EmbeddedBus } from './bus.ts';

testMessageBus('in process', async () => {
  const bus = new EmbeddedBus(wallClock, new RecordingLog());
  return {
    here: bus,
    there: bus,
    settled: () => new Promise<void>((resolve) => setImmediate(resolve)),
    async dispose() {},
  };
});
