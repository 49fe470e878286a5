import { GatewayLineUp } from './gateway-line-up.ts';
import { hostOf } from './host-of.ts';
import type { ClientTask, FromClient, Sample, ToClient } from './messages.ts';

/**
 * A client of several gateways in a process of its own: requests that are due at a steady rate, however long the ones before
 * them take. The argument is its task as JSON.
 */
const { gateways, ratePerS, path, limitMs } = JSON.parse(process.argv[2] ?? '') as ClientTask;
const TICK_MS = 2;
/** When a tick comes later than this after the last, this process did not get the processor. */
const GAP_MS_MAX = 5;
/** What was not sent may be sent again so often. */
const TRIES_MAX = 20;
/** By their hosts, which go on to the backends, one can tell there which gateway a request came through. */
const requests = gateways.map((_, place) => `GET ${path} HTTP/1.1\r\nhost: ${hostOf(place)}\r\n\r\n`);

interface Answered extends Omit<Sample, 'heldUp'> {
  heldUp: boolean;
}

const lineUps = gateways.map(({ port, healthPort }) => new GatewayLineUp(port, healthPort));
let samples: Sample[] = [];
/** Ended since the last tick. */
let fresh: Answered[] = [];
let gaps = 0;
let turn = 0;
let underWay = 0;
let resting = true;
let startMs = 0;
let begun = 0;
let tickMs = performance.now();

function tick(): void {
  const nowMs = performance.now();
  const heldUp = nowMs - tickMs > GAP_MS_MAX;
  tickMs = nowMs;
  if (heldUp) gaps += 1;
  for (const sample of fresh) samples.push({ ...sample, heldUp: sample.heldUp || heldUp });
  fresh = [];
  if (resting) {
    if (underWay === 0) tell();
    return;
  }
  for (; begun < ((nowMs - startMs) / 1000) * ratePerS; begun++) void ask(nowMs);
}

let told = true;
function tell(): void {
  if (told) return;
  told = true;
  process.send?.({ kind: 'resting', samples } satisfies FromClient);
  samples = [];
}

async function ask(dueMs: number): Promise<void> {
  underWay += 1;
  const before = gaps;
  let gateway = next();
  let ending = await lineUps[gateway]!.ask(requests[gateway]!, limitMs);
  // Nothing of a request that was refused has been sent, so another gateway may have it.
  for (let tries = 1; ending === 'refused' && tries < TRIES_MAX; tries++) {
    gateway = next();
    ending = await lineUps[gateway]!.ask(requests[gateway]!, limitMs);
  }
  const nowMs = performance.now();
  fresh.push({
    dueMs: performance.timeOrigin + dueMs,
    latencyMs: nowMs - dueMs,
    heldUp: gaps !== before,
    gateway,
    ending,
  });
  underWay -= 1;
}

/** Gateways in turn, those that seem to be well first. */
function next(): number {
  for (let tries = 0; tries < lineUps.length; tries++) {
    turn = (turn + 1) % lineUps.length;
    if (lineUps[turn]!.free) return turn;
  }
  return (turn + 1) % lineUps.length;
}

process.on('message', ({ kind }: ToClient) => {
  resting = kind === 'rest';
  if (resting) {
    told = false;
    return;
  }
  startMs = performance.now();
  begun = 0;
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
setInterval(tick, TICK_MS);
