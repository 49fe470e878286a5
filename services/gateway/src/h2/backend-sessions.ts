import type { Endpoint } from '../routing-table.ts';
import type { DeadlineWheel } from '../wire/deadlines.ts';
import type { Dialler } from '../wire/dialler.ts';
import type { Upstream, Upstreams, UpstreamUser } from '../wire/upstream.ts';
import { BackendSession, type SessionHome } from './backend-session.ts';
import { BackendStream } from './backend-stream.ts';

/** The HTTP/2 sessions of one worker with its backends: one for each, and another when that has no room. */
export class BackendSessions implements Upstreams, SessionHome {
  readonly deadlines: DeadlineWheel;
  readonly dialler: Dialler;
  readonly now: () => number;
  private readonly sessions = new Map<Endpoint, BackendSession[]>();

  constructor(deadlines: DeadlineWheel, dialler: Dialler, now: () => number) {
    this.deadlines = deadlines;
    this.dialler = dialler;
    this.now = now;
  }

  take(endpoint: Endpoint, user: UpstreamUser): Upstream | undefined {
    const session = this.sessions.get(endpoint)?.find(({ connected, hasRoom }) => connected && hasRoom);
    return session === undefined ? undefined : new BackendStream(session, user, true);
  }

  open(endpoint: Endpoint, user: UpstreamUser, connectBeforeMs: number): Upstream {
    let sessions = this.sessions.get(endpoint);
    if (sessions === undefined) this.sessions.set(endpoint, (sessions = []));
    let session = sessions.find(({ connected, hasRoom }) => !connected && hasRoom);
    if (session === undefined) sessions.push((session = new BackendSession(endpoint, this, connectBeforeMs)));
    const stream = new BackendStream(session, user, false);
    session.await(stream);
    return stream;
  }

  forget(session: BackendSession): void {
    const sessions = this.sessions.get(session.endpoint);
    const at = sessions?.indexOf(session) ?? -1;
    if (sessions === undefined || at < 0) return;
    sessions.splice(at, 1);
    if (sessions.length === 0) this.sessions.delete(session.endpoint);
  }

  /** How many there are. */
  get count(): number {
    let count = 0;
    for (const sessions of this.sessions.values()) count += sessions.length;
    return count;
  }

  /** Lets go of those with an address that their host has no more, when their requests are done. */
  closeGone(): void {
    for (const sessions of this.sessions.values()) {
      for (const session of sessions.filter(({ gone }) => gone)) session.retire();
    }
  }

  close(): void {
    for (const sessions of this.sessions.values()) for (const session of sessions) session.destroy();
  }
}
