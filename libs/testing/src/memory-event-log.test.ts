import { LogUnavailableError } from '@usher/ports';
import { describe, expect, it } from 'vitest';
import { testEventLog } from './event-log-contract.ts';
import { follow, latencyEvents, SUBJECT } from './event-log-harness.ts';
import { MemoryEventLog, MemoryStorage } from './memory-event-log.ts';
import { SimulatedClock } from './simulated-clock.ts';

testEventLog('memory', async () => {
  const storage = new MemoryStorage();
  return {
    open: async () => new MemoryEventLog(new SimulatedClock(), storage),
    async storeRaw(subject, text) {
      storage.store(subject, text);
    },
    async storeTornSnapshot() {
      // Memory takes a snapshot whole or not at all, so there is nothing to leave behind.
    },
    async dispose() {},
  };
});

describe('MemoryEventLog', () => {
  it('refuses calls and holds tails back while it is disconnected', async () => {
    const clock = new SimulatedClock(1000);
    const storage = new MemoryStorage();
    const log = new MemoryEventLog(clock, storage);
    const elsewhere = new MemoryEventLog(clock, storage);
    const changes: boolean[] = [];
    log.onStatus(({ connected }) => changes.push(connected));
    const followed = follow(log);
    clock.advance(5);
    log.setConnected(false);
    expect(log.status()).toEqual({ connected: false, sinceMs: 1005 });
    await expect(log.append({ subject: SUBJECT, events: latencyEvents(1) })).rejects.toThrow(
      LogUnavailableError,
    );
    await elsewhere.append({ subject: SUBJECT, events: latencyEvents(1) });
    expect(followed.records).toEqual([]);
    log.setConnected(true);
    expect(followed.records).toHaveLength(1);
    expect(changes).toEqual([false, true]);
  });
});
