import type { ClockReading } from '@usher/ports';
import { type Finding, findingsAbout } from './finding.ts';

/** From here on times of the log contradict each other. */
const WARNING_MS = 1_000;
/** From here on breakers and drains of this machine end far from when the others think. */
const ERROR_MS = 10_000;

const { ok, warning, error } = findingsAbout('clock');
const REMEDY = 'have both machines follow the same time servers, with chrony or systemd-timesyncd';

/** What another clock says of ours. `resolutionMs`: in what steps it is read. */
export function judgeClock(whose: string, reading: ClockReading, resolutionMs = 0): Finding {
  const { askedMs, theirMs, answeredMs } = reading;
  // A clock that is read in steps shows the beginning of one.
  const offMs = theirMs + resolutionMs / 2 - (askedMs + answeredMs) / 2;
  const withinMs = (answeredMs - askedMs + resolutionMs) / 2;
  const surelyMs = Math.max(0, Math.abs(offMs) - withinMs);
  if (surelyMs < WARNING_MS) return ok(`agrees with ${whose} to ${text(Math.abs(offMs) + withinMs)}`);
  const message = `is ${text(surelyMs)} ${offMs > 0 ? 'behind' : 'ahead of'} ${whose}`;
  return surelyMs < ERROR_MS ? warning(message, REMEDY) : error(message, REMEDY);
}

/**
 * What the log says of those who write to it: their events are stored soon after they were made, by a clock that all of
 * them share.
 */
export function judgeWriters(lagMs: ReadonlyMap<string, number>): Finding[] {
  return [...lagMs].flatMap(([source, lag]) => {
    if (lag < -WARNING_MS) return warning(`of ${source} is ${text(-lag)} ahead of NATS`, REMEDY);
    if (lag <= ERROR_MS) return [];
    return warning(
      `of ${source} is ${text(lag)} behind NATS, or its events are late by that`,
      `${REMEDY}; when they do, look at usher_outbox_pending of that process`,
    );
  });
}

function text(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
