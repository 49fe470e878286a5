import type { Input } from '../input/input.ts';
import { duration, value } from './draft.ts';
import type { Given } from './foreign-file.ts';
import type { Remarks } from './remarks.ts';

/**
 * How often a backend is probed, and for how long its answer is waited for, in units of so many milliseconds. Other systems take
 * timeouts that are longer than the interval; here no probe begins before the one before it is over, so that the interval is the longest.
 */
export function probeTimes(
  interval: Given<number>,
  timeout: Given<number>,
  unitMs: number,
  remarks: Remarks,
): Readonly<Record<'interval' | 'timeout', Input>> {
  const [every, longest] = [interval, timeout].map((given) => given.value * unitMs) as [number, number];
  const decides = longest > every && !timeout.written ? interval : timeout;
  if (longest > every)
    remarks.changed(
      decides.path,
      decides.at,
      `a probe takes no longer than the interval: ${duration(every)}`,
    );
  return {
    interval: value(duration(every), interval.at),
    timeout: value(duration(Math.min(longest, every)), decides.at),
  };
}
