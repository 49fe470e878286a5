import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@usher/testing';
import type { Report } from '../soak/report.ts';
import { type Ending, Line } from './client/line.ts';
import type { ChaosOptions } from './main.ts';
import { SoloUsher } from './solo-usher.ts';

const KEEP_ALIVE_MS = 5_000;
const PAUSE_MIN_MS = 4_900;
const PAUSE_MAX_MS = 5_100;
const CLIENTS = 100;
const ROUNDS = 11;
const QUICK_ROUNDS = 3;
const LIMIT_MS = 10_000;
/** Every client's request is under way at the same time as the others', so that each keeps a connection to a backend busy. */
const PATHS = { wire: '/slow', plugin: '/plugin/slow' } as const;
/** Connections are kept shorter than the backend does, as is the default; or longer, so that they meet their end there. */
const KEPT = { 'by default': '', 'longer than the backend': 'timeouts: { backend_idle: 60s }' } as const;

/** Requests that come just when the backend closes the connection which they would be sent on. */
export async function chaos(report: Report, { quick }: ChaosOptions): Promise<void> {
  for (const [name, policy] of Object.entries(KEPT)) {
    const solo = await SoloUsher.start({
      keepAliveMs: KEEP_ALIVE_MS,
      pool: 'health: { type: none }\n    retry: { attempts: 0 }',
      policy,
    });
    await solo.usher.eligible('b0', 'b1', 'b2');
    const random = seededRandom(5);
    const pause = (): number => PAUSE_MIN_MS + (PAUSE_MAX_MS - PAUSE_MIN_MS) * random.next();
    const all = Object.entries(PATHS).flatMap(([lane, path]) =>
      Array.from({ length: CLIENTS }, () =>
        client(solo.port, lane, path, quick ? QUICK_ROUNDS : ROUNDS, pause),
      ),
    );
    const endings = (await Promise.all(all)).flat();
    for (const lane of Object.keys(PATHS)) {
      const ours = endings.filter((each) => each.lane === lane).map(({ ending }) => ending);
      report.add(`${name}, ${lane} lane: requests`, ours.length, '');
      report.add(`${name}, ${lane} lane: errors`, ours.filter((ending) => ending !== 200).length, '', {
        max: 0,
      });
    }
    await solo.stop();
  }
}

async function client(
  port: number,
  lane: string,
  path: string,
  rounds: number,
  pause: () => number,
): Promise<{ lane: string; ending: Ending }[]> {
  const line = new Line(port);
  const endings: { lane: string; ending: Ending }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await sleep(pause());
    endings.push({ lane, ending: await line.ask(`GET ${path} HTTP/1.1\r\nhost: chaos\r\n\r\n`, LIMIT_MS) });
  }
  line.close();
  return endings;
}
