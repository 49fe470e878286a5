import { describe, expect, it } from 'vitest';
import { SimulatedClock } from './simulated-clock.ts';

describe('SimulatedClock', () => {
  it('fires timers in the order of their due times, each at its own time', () => {
    const clock = new SimulatedClock(0);
    const fired: string[] = [];
    clock.after(30, () => fired.push(`c${clock.now()}`));
    clock.after(10, () => fired.push(`a${clock.now()}`));
    clock.after(10, () => fired.push(`b${clock.now()}`));
    clock.advance(20);
    expect(fired).toEqual(['a10', 'b10']);
    expect(clock.now()).toBe(20);
    clock.advance(10);
    expect(fired).toEqual(['a10', 'b10', 'c30']);
    expect(clock.timers).toBe(0);
  });

  it('fires timers that are set while it advances', () => {
    const clock = new SimulatedClock(0);
    const fired: number[] = [];
    clock.after(5, () => clock.after(5, () => fired.push(clock.now())));
    clock.advance(10);
    expect(fired).toEqual([10]);
  });

  it('repeats until cancelled, also from within', () => {
    const clock = new SimulatedClock(0);
    const fired: number[] = [];
    const timer = clock.every(10, () => {
      fired.push(clock.now());
      if (fired.length === 3) timer.cancel();
    });
    clock.advance(100);
    expect(fired).toEqual([10, 20, 30]);
    expect(() => clock.every(0, () => {})).toThrow(RangeError);
  });
});
