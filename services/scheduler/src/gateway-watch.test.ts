import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { declared, newFleet, started } from './testing/test-fleet.ts';

const HOUR_MS = 3_600_000;

test.each([0, -HOUR_MS, HOUR_MS])(
  'a gateway without a lease is lost after ten seconds, though the clock is set by %d ms',
  async (byMs) => {
    const fleet = newFleet();
    const { events, fold } = await fleet.start('s1', declared(['a']));
    await fleet.facts(events, [started('gw-1')]);
    const runs = (): boolean | undefined => fold.state.gateways.get('gw-1')?.running;
    const seconds = async (count: number): Promise<void> => {
      for (let passed = 0; passed < count; passed++) {
        fleet.clock.advance(1_000);
        for (let turn = 0; turn < 20; turn++) await setImmediate();
      }
    };
    await seconds(3);
    fleet.clock.set(byMs);
    await seconds(6);
    expect(runs()).toBe(true);
    await seconds(4);
    expect(runs()).toBe(false);
  },
);
