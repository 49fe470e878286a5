import { CONTROL_SUBJECT, eventTimeMs, type UsherEvent } from '@usher/events';
import type { LogRecord } from '@usher/ports';
import type { Finding } from './findings.ts';

/** A drain that is under way, by the events alone. */
interface Drain {
  readonly deadlineMs: number;
  readonly emptied: Set<string>;
}

interface View {
  readonly running: Set<string>;
  readonly drains: Map<string, Drain>;
}

const INVARIANT = 'a drain ends empty or at its deadline';

/** How a drain ended. */
interface Ending {
  readonly backend: string;
  readonly cause: 'empty' | 'deadline';
  readonly nowMs: number;
  /** Gateways that really had something under way there. */
  readonly busy: readonly string[];
}

/**
 * A drain ends when every gateway that runs has said that it has nothing there any more, and has not, or when its time is
 * over. `busy` has the truth, by position and backend of each end.
 */
export function* checkDrains(
  history: readonly LogRecord[],
  busy: ReadonlyMap<string, readonly string[]>,
): Generator<Finding> {
  let decided = 0;
  for (const { position, subject, events } of history) {
    for (const event of events) {
      if (event.type !== 'backend.drained') continue;
      const { backend, cause } = event.data;
      const had = busy.get(`${position} ${backend}`) ?? [];
      const ending = { backend, cause, nowMs: eventTimeMs(event), busy: had };
      const why = objectionSince(history, decided, position, ending);
      if (why !== undefined) yield { invariant: INVARIANT, detail: `${backend} at ${position}: ${why}` };
    }
    if (subject === CONTROL_SUBJECT) decided = position;
  }
}

/** Whoever ended the drain knew the log up to one of the positions since the last decision. */
function objectionSince(
  history: readonly LogRecord[],
  from: number,
  until: number,
  ending: Ending,
): string | undefined {
  const view: View = { running: new Set(), drains: new Map() };
  let why: string | undefined = 'nothing had happened';
  for (const { position, events } of history) {
    if (position >= until) break;
    for (const event of events) take(view, event);
    if (position < from) continue;
    why = objection(view, ending);
    if (why === undefined) return undefined;
  }
  return why;
}

function objection({ running, drains }: View, { backend, cause, nowMs, busy }: Ending): string | undefined {
  const drain = drains.get(backend);
  if (drain === undefined) return 'it did not drain';
  if (cause === 'deadline')
    return nowMs >= drain.deadlineMs ? undefined : `its deadline is in ${drain.deadlineMs - nowMs} ms`;
  const silent = [...running].filter((gateway) => !drain.emptied.has(gateway));
  if (silent.length > 0) return `${silent.join()} did not say that it is empty`;
  const wrong = busy.filter((gateway) => running.has(gateway));
  return wrong.length === 0 ? undefined : `${wrong.join()} said that it is empty, and it is not`;
}

function take({ running, drains }: View, { type, data }: UsherEvent): void {
  if (type === 'gateway.started') running.add(data.gateway);
  else if (type === 'gateway.stopped' || type === 'gateway.lost') {
    running.delete(data.gateway);
    for (const { emptied } of drains.values()) emptied.delete(data.gateway);
  } else if (type === 'backend.drain_started')
    drains.set(data.backend, { deadlineMs: data.deadlineMs, emptied: new Set() });
  else if (type === 'backend.emptied') drains.get(data.backend)?.emptied.add(data.gateway);
  else if (type === 'backend.enabled' || type === 'backend.disabled' || type === 'backend.removed')
    drains.delete(data.backend);
}
