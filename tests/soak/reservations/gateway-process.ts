import { appendFileSync } from 'node:fs';
import type { UsherEvent } from '@usher/events';
import { openRedisStore } from '@usher/state-store';
import { RecordingLog, seededRandom, wallClock } from '@usher/testing';
import { ReservingFleet } from '../../../services/gateway/src/testing/reservations.ts';
import { BACKENDS, POOL_CHANGES } from './setting.ts';

/**
 * The reservations of one gateway in a process of its own: asks for random tiers on random backends, holds what it gets for a
 * while, gives it back, and so on until it is killed. What it tells the log goes to a file, line by line. Arguments: name,
 * address of Redis, file, seed. Prints how many operations it has done.
 */
const [name = '', url = '', file = '', seed = '0'] = process.argv.slice(2);
const AT_A_TIME = 32;
const HOLD_MS_MAX = 10;
const TELL_EVERY = 100;

class FiledFleet extends ReservingFleet {
  override take(events: readonly UsherEvent[]): void {
    super.take(events);
    const told = events.filter(({ type }) => type.startsWith('allocation.'));
    if (told.length > 0) appendFileSync(file, `${JSON.stringify(told)}\n`);
  }
}

const random = seededRandom(Number(seed));
const below = (limit: number): number => Math.floor(random.next() * limit);
const fleet = new FiledFleet({
  clock: wallClock,
  backends: BACKENDS,
  pool: POOL_CHANGES,
  seed: Number(seed),
});
const store = await openRedisStore({ url, clock: wallClock, log: new RecordingLog() });
const gateway = fleet.gateway(name, store);
const ids = Object.keys(BACKENDS);
let operations = 0;

async function client(): Promise<void> {
  for (;;) {
    const start = below(ids.length);
    const candidates = [...ids.slice(start), ...ids.slice(0, start)].slice(0, 1 + below(ids.length));
    const session = random.next() < 0.2 ? `s${below(40)}` : undefined;
    const tier = random.next() < 0.5 ? 'one' : 'two';
    const key = gateway.ask({ candidates, session, tier });
    if (random.next() < 0.01) {
      gateway.withdraw(key);
      count(1);
      await pause(1);
      continue;
    }
    while (!gateway.answers.has(key)) await pause(1);
    const answer = gateway.answers.get(key);
    gateway.answers.delete(key);
    count(1);
    if (answer?.outcome !== 'granted') continue;
    await pause(below(HOLD_MS_MAX));
    gateway.giveBack(answer.allocation);
    count(1);
  }
}

function count(more: number): void {
  operations += more;
  if (operations % TELL_EVERY === 0) process.stdout.write(`${TELL_EVERY}\n`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await Promise.all(Array.from({ length: AT_A_TIME }, client));
