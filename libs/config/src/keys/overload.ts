import type { OverloadSettings } from '../settings.ts';
import { mapped } from '../types/collections.ts';
import { defaulted, optional, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { duration, percentage, size } from '../types/units.ts';

const keys = section({
  memory: optional('the limit of its control group (container), or without one the memory of the machine', {
    to: 'memoryBytes',
    type: size({ min: '1MiB', max: '64GiB' }),
    doc: 'How much memory this process may take.',
  }),
  memory_soft: defaulted('80%', {
    to: 'memorySoft',
    type: percentage,
    doc: 'From this share of `memory` on `sheddable` requests are answered with 503, and HTTP/1.1 connections close after their answer. 0% = never.',
  }),
  memory_hard: defaulted('90%', {
    to: 'memoryHard',
    type: percentage,
    doc: 'From this share on only `critical` requests are served, and no connection is accepted. 0% = never.',
    why: 'What is left is for what is under way: a process that exceeds its memory is killed with everything in it.',
  }),
  event_loop_delay: defaulted('200ms', {
    to: 'loopDelayMs',
    type: duration({ min: '10ms', max: '1m', zero: 'it does not count' }),
    doc: 'When a worker is late by this, over a moment, it answers `sheddable` requests with 503; when late by four times that, all but `critical` ones.',
    why: 'A worker that is late makes every client wait, those of cheap requests too.',
  }),
});

/** When a process does without some of the requests. */
export const overload: Type<OverloadSettings> = mapped(keys, (given, _path, reading): OverloadSettings => {
  if (given.memoryHard > 0 && given.memorySoft > given.memoryHard)
    reading.complain(given, 'memory_soft', 'is above memory_hard');
  return given;
});
