import type { PolicySettings } from '@usher/domain';
import type { WireCounters } from './counters.ts';
import type { Tunnel } from './tunnel.ts';

/** The part of a drain in which WebSockets are told to go; the rest is left for their goodbyes. */
const GOING_AWAY_SHARE = 0.75;

/** The WebSockets of one lane. A place is taken when one is asked for, so that no backend is asked in vain. */
export class Upgrades {
  private readonly tunnels = new Set<Tunnel>();
  private readonly counters: WireCounters;
  private readonly workers: number;

  constructor(counters: WireCounters, workers: number) {
    this.counters = counters;
    this.workers = workers;
  }

  /** Takes a place; false when there is none. */
  reserve({ upgrades }: PolicySettings['limits']): boolean {
    if (this.counters.upgradesOpen >= Math.ceil(upgrades / this.workers)) {
      this.counters.upgradesRefused += 1;
      return false;
    }
    this.counters.upgradesOpen += 1;
    return true;
  }

  /** Gives a place back. */
  free(): void {
    this.counters.upgradesOpen -= 1;
  }

  opened(tunnel: Tunnel): void {
    this.tunnels.add(tunnel);
    this.counters.upgrades += 1;
  }

  closed(tunnel: Tunnel): void {
    this.tunnels.delete(tunnel);
    this.free();
  }

  /** Tells all of them to go, one after the other: clients that come back at once would come back all at once. */
  goAway(nowMs: number, deadlineMs: number): void {
    const stepMs = (deadlineMs * GOING_AWAY_SHARE) / this.tunnels.size;
    let dueMs = nowMs;
    for (const tunnel of this.tunnels) {
      tunnel.goAwayAt(dueMs);
      dueMs += stepMs;
    }
  }
}
