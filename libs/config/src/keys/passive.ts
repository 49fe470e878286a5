import { EJECTED_SHARE_MAX, type PassiveSettings } from '@usher/domain';
import { mapped } from '../types/collections.ts';
import { trueOrFalse, wholeNumber } from '../types/scalar.ts';
import { defaulted, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { duration, percentage } from '../types/units.ts';

export const passive: Type<PassiveSettings> = mapped(
  section({
    enabled: defaulted(true, {
      to: 'enabled',
      type: trueOrFalse,
      doc: 'Whether a backend that fails the requests of clients is ejected: left out for a while, longer each time.',
    }),
    consecutive: defaulted(5, {
      to: 'consecutive',
      type: wholeNumber({ min: 1, max: 1000 }),
      doc: 'Failures in a row, without a success in between, that eject a backend. Only what is the fault of the backend counts.',
    }),
    failure_rate: defaulted('50%', {
      to: 'failureRate',
      type: percentage,
      doc: 'Share of failures among the requests of a `window` that ejects a backend.',
    }),
    window: defaulted('10s', {
      to: 'windowMs',
      type: duration({ min: '100ms', max: '1h' }),
      doc: 'Time in which that share is looked at.',
    }),
    min_requests: defaulted(20, {
      to: 'requestsMin',
      type: wholeNumber({ min: 1, max: 1_000_000 }),
      doc: 'Requests that a window needs for its share to count.',
      why: 'One failure of two requests is half of them, and chance.',
    }),
    eject_for: defaulted('30s', {
      to: 'ejectForMs',
      type: duration({ min: '100ms', max: '1h' }),
      doc: 'How long the first ejection lasts. The second lasts twice as long, the third three times, and so on, up to 300s; each such time that passes without another takes one off again.',
      why: 'A backend that fails whenever it is back costs fewer and fewer requests.',
    }),
    max_ejected: defaulted('50%', {
      to: 'maxEjected',
      type: percentage,
      doc: 'Largest share of the pool that may be ejected at a time, at most half. One of three may go in any case unless this is 0%, and the last one that gets requests never.',
    }),
  }),
  (given, _path, reading): PassiveSettings => {
    if (given.maxEjected > EJECTED_SHARE_MAX)
      reading.complain(given, 'max_ejected', 'more than half of a pool is never ejected; it goes up to 50%');
    if (given.failureRate === 0)
      reading.complain(given, 'failure_rate', '0% would eject every backend; it goes from 1%');
    return given;
  },
);
