import { UsherError } from '@usher/domain';
import type { MessageBus } from '@usher/ports';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface BusHarness {
  /** Two ends of one bus; they may be the same. */
  readonly here: MessageBus;
  readonly there: MessageBus;
  /** Resolves when what either end has asked for until now is known to both. */
  readonly settled: () => Promise<void>;
  dispose(): Promise<void>;
}

const WAIT_MS = 5000;

/** The contract of the MessageBus port: both drivers run it. */
export function testMessageBus(name: string, createHarness: () => Promise<BusHarness>): void {
  describe(`message bus contract: ${name}`, () => {
    let harness: BusHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.dispose());
    testRequests(() => harness);
    testMessages(() => harness);
  });
}

function testRequests(current: () => BusHarness): void {
  it('brings a request to who serves the subject and the answer back', async () => {
    const { here, there, settled } = current();
    there.serve('usher.commands.*', async (subject, payload) => `${subject} ${payload} ✓`);
    await settled();
    const answer = await here.request('usher.commands.pool', '{"ü":1}', WAIT_MS);
    expect(answer).toBe('usher.commands.pool {"ü":1} ✓');
  });

  it('gives each request to one of several that serve a subject', async () => {
    const { here, there, settled } = current();
    let served = 0;
    for (const bus of [here, there]) {
      bus.serve('usher.commands.>', async () => {
        served += 1;
        return 'done';
      });
    }
    await settled();
    for (let index = 0; index < 10; index++) await here.request('usher.commands.x.y', '', WAIT_MS);
    expect(served).toBe(10);
  });

  it('says that nobody leads when nobody serves, or no longer', async () => {
    const { here, there, settled } = current();
    const request = () => here.request('usher.commands.x', '', WAIT_MS).catch((error: unknown) => error);
    expect(await request()).toBeInstanceOf(UsherError);
    const serving = there.serve('usher.commands.x', async () => 'done');
    await settled();
    expect(await request()).toBe('done');
    serving.stop();
    await settled();
    expect(await request()).toMatchObject({ code: 'no_leader' });
  });

  it('says that nobody leads when no answer comes in time', async () => {
    const { here, there, settled } = current();
    there.serve('usher.commands.slow', () => new Promise(() => {}));
    there.serve('usher.commands.broken', async () => {
      throw new Error('broken');
    });
    await settled();
    for (const subject of ['usher.commands.slow', 'usher.commands.broken']) {
      const outcome = await here.request(subject, '', 50).catch((error: unknown) => error);
      expect(outcome).toMatchObject({ code: 'no_leader' });
    }
  });
}

function testMessages(current: () => BusHarness): void {
  it('brings a message to all that subscribe to a matching subject, in order, until they stop', async () => {
    const { here, there, settled } = current();
    const seen: string[] = [];
    const exact: string[] = [];
    const all = there.subscribe('usher.stats.>', (subject, payload) => seen.push(`${subject}=${payload}`));
    there.subscribe('usher.stats.a', (_subject, payload) => exact.push(payload));
    await settled();
    for (const payload of ['1', '2', '3']) here.publish('usher.stats.a', payload);
    here.publish('usher.stats.b', '4');
    here.publish('usher.other', '5');
    await settled();
    expect(seen).toEqual(['usher.stats.a=1', 'usher.stats.a=2', 'usher.stats.a=3', 'usher.stats.b=4']);
    expect(exact).toEqual(['1', '2', '3']);
    all.stop();
    await settled();
    here.publish('usher.stats.a', '6');
    await settled();
    expect(seen).toHaveLength(4);
    expect(exact).toHaveLength(4);
  });

  it('goes on when a handler throws', async () => {
    const { here, there, settled } = current();
    const seen: string[] = [];
    there.subscribe('usher.stats.a', (_subject, payload) => {
      seen.push(payload);
      throw new Error('broken');
    });
    await settled();
    here.publish('usher.stats.a', '1');
    here.publish('usher.stats.a', '2');
    await settled();
    expect(seen).toEqual(['1', '2']);
  });
}
