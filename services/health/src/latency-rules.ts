/** Weight of the newest probe in the moving average. */
const ALPHA = 0.3;
/** A change is worth an event when it is more than this share of what the log says, and more than this much. */
const CHANGE_SHARE_MIN = 0.25;
const CHANGE_MIN_MS = 1;
const EVENT_INTERVAL_MIN_MS = 10_000;

/** Exponentially weighted moving average of successful probes; a failed one says nothing about how fast a backend is. */
export function averageLatency(averageMs: number | undefined, latencyMs: number): number {
  return averageMs === undefined ? latencyMs : averageMs + ALPHA * (latencyMs - averageMs);
}

/** Whether to tell the fleet: latency wavers all the time, and every event is paid for by everybody who folds it. */
export function worthAnEvent(averageMs: number, knownMs: number, sinceLastEventMs: number): boolean {
  const change = Math.abs(averageMs - knownMs);
  return (
    sinceLastEventMs >= EVENT_INTERVAL_MIN_MS && change > CHANGE_MIN_MS && change > CHANGE_SHARE_MIN * knownMs
  );
}
