import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadline, DeadlineWheel, TICK_MS } from './deadlines.ts';

const START = 1_000_000;

class Probe {
  readonly deadline = new Deadline(this);
  expiredAtMs: number | undefined;

  expire(nowMs: number): void {
    this.expiredAtMs = nowMs;
  }
}

/** Ticks through to `untilMs` as the lane's timer does. */
function run(wheel: DeadlineWheel, fromMs: number, untilMs: number): void {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += TICK_MS) while (wheel.advance(nowMs));
}

describe('a deadline', () => {
  it('expires once, not before its time and at most a tick after it, however often it was moved', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ moveAtMs: fc.nat(150_000), aheadMs: fc.nat(120_000) }), {
          minLength: 1,
          maxLength: 8,
        }),
        (moves) => {
          const wheel = new DeadlineWheel(START);
          const probe = new Probe();
          let expected: number | undefined;
          for (let nowMs = START; nowMs < START + 300_000; nowMs += TICK_MS) {
            wheel.advance(nowMs);
            if (probe.expiredAtMs !== undefined) break;
            for (const { moveAtMs, aheadMs } of moves) {
              if (Math.floor(moveAtMs / TICK_MS) * TICK_MS !== nowMs - START) continue;
              expected = nowMs + aheadMs;
              wheel.arm(probe.deadline, expected);
            }
          }
          expect(probe.expiredAtMs).toBeGreaterThanOrEqual(expected!);
          expect(probe.expiredAtMs).toBeLessThanOrEqual(expected! + 2 * TICK_MS);
        },
      ),
    );
  });

  it('that was taken out never expires and is held by nothing', () => {
    const wheel = new DeadlineWheel(START);
    const probes = Array.from({ length: 100 }, () => new Probe());
    for (const { deadline } of probes) wheel.arm(deadline, START + 500);
    for (const [at, { deadline }] of probes.entries()) if (at % 3 !== 0) wheel.remove(deadline);
    run(wheel, START, START + 1000);
    const expired = probes.map(({ expiredAtMs }) => expiredAtMs !== undefined);
    expect(expired).toEqual(probes.map((_, at) => at % 3 === 0));
    expect(probes.every(({ deadline }) => deadline.checkAtMs === Infinity)).toBe(true);
  });

  it('ends as long after now as it would have when the clock is set, back or forward', () => {
    for (const byMs of [-900_000, -7, 7, 900_000]) {
      const wheel = new DeadlineWheel(START);
      const [early, late, done] = [new Probe(), new Probe(), new Probe()];
      wheel.arm(early.deadline, START + 500);
      wheel.arm(late.deadline, START + 90_000);
      wheel.arm(done.deadline, START + 400);
      wheel.remove(done.deadline);
      run(wheel, START, START + 100);
      wheel.shift(byMs);
      const later = new Probe();
      wheel.arm(later.deadline, START + byMs + 1_100);
      run(wheel, START + byMs + 150, START + byMs + 100_000);
      const ended = [early, late, later].map(({ expiredAtMs = 0 }) => expiredAtMs - START - byMs);
      for (const [at, dueMs] of [500, 90_000, 1_100].entries()) {
        expect(ended[at]).toBeGreaterThanOrEqual(dueMs);
        expect(ended[at]).toBeLessThanOrEqual(dueMs + 2 * TICK_MS);
      }
      expect(done.expiredAtMs).toBeUndefined();
    }
  });

  it('expires alone, however many are due, in the order of their times, and none of them is lost', () => {
    const wheel = new DeadlineWheel(START);
    const order: number[] = [];
    const owners = Array.from({ length: 500 }, (_, at) => ({ expire: () => order.push(at) }));
    for (const [at, owner] of owners.entries()) {
      const deadline = new Deadline({ expire: () => void owner.expire() });
      wheel.arm(deadline, START + Math.floor(at / 100) * TICK_MS);
    }
    let most = 0;
    for (let more = true; more; ) {
      const before = order.length;
      more = wheel.advance(START + 60 * TICK_MS);
      most = Math.max(most, order.length - before);
    }
    expect(most).toBe(1);
    expect(order).toEqual(owners.keys().toArray());
  });

  it('is kept when the process sleeps for longer than the wheel reaches', () => {
    const wheel = new DeadlineWheel(START);
    const [near, far] = [new Probe(), new Probe()];
    wheel.arm(near.deadline, START + 1000);
    wheel.arm(far.deadline, START + 10_000_000);
    wheel.advance(START + 3_600_000);
    expect([near.expiredAtMs, far.expiredAtMs]).toEqual([START + 3_600_000, undefined]);
    run(wheel, START + 3_600_000, START + 10_000_100);
    expect(far.expiredAtMs).toBe(START + 10_000_000);
  });

  it('may be armed again by its own expiry', () => {
    const wheel = new DeadlineWheel(START);
    const times: number[] = [];
    const again = {
      expire(nowMs: number): void {
        times.push(nowMs - START);
        if (times.length < 3) wheel.arm(deadline, nowMs + 100);
      },
    };
    const deadline = new Deadline(again);
    wheel.arm(deadline, START + 100);
    run(wheel, START, START + 1000);
    expect(times).toEqual([100, 200, 300]);
  });
});
