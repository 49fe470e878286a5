import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimitSettings } from '@usher/domain';
import { openRedisStore } from '@usher/state-store';
import { RecordingLog, startRedisServer, wallClock } from '@usher/testing';
import { bothLanes, LimitedFleet } from '../../../services/gateway/src/testing/limited-gateway.ts';

const GATEWAYS = 4;
const MINUTE_MS = 60_000;
const PER_SECOND = 400;
const SLICE_MS = 10;
const LIMIT: RateLimitSettings = { by: 'ip', scope: 'fleet', requests: 100, perMs: 1_000, burst: 200 };
const DEVIATION_MAX = 0.01;

/** A minute of one client through four gateways with one Redis, at four times its limit. Fails when it is not exact within 1 %. */
export async function realMinute(): Promise<void> {
  const redis = await startRedisServer();
  const limited = new LimitedFleet();
  const stores: { close(): Promise<void> }[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  try {
    await limited.configure({ routes: bothLanes({}), rateLimit: LIMIT });
    const ports: number[] = [];
    for (let each = 0; each < GATEWAYS; each++) {
      const store = await openRedisStore({ url: redis.url, clock: wallClock, log: new RecordingLog() });
      stores.push(store);
      ports.push(await limited.gateway({}, { store }));
    }
    const { statuses, tookMs } = await ask(ports, agent);
    report(statuses, tookMs);
  } finally {
    agent.destroy();
    await limited.close();
    for (const store of stores) await store.close();
    await redis.stop();
  }
}

async function ask(ports: readonly number[], agent: Agent) {
  const statuses = new Map<number, number>();
  const answers: Promise<void>[] = [];
  const startMs = performance.now();
  let sent = 0;
  for (;;) {
    const sinceMs = performance.now() - startMs;
    if (sinceMs >= MINUTE_MS) break;
    for (const due = (sinceMs / 1_000) * PER_SECOND; sent < due; sent++) {
      const answered = once(ports[sent % ports.length]!, agent);
      answers.push(answered.then((status) => void statuses.set(status, (statuses.get(status) ?? 0) + 1)));
    }
    await sleep(SLICE_MS);
  }
  const tookMs = performance.now() - startMs;
  await Promise.all(answers);
  return { statuses, tookMs };
}

/** Status of one answer; 0 = none came. */
async function once(port: number, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    outgoing.on('error', () => resolve(0)).end();
  });
}

function report(statuses: ReadonlyMap<number, number>, tookMs: number): void {
  const passed = statuses.get(200) ?? 0;
  const refused = statuses.get(429) ?? 0;
  const allowed = LIMIT.burst + (LIMIT.requests * tookMs) / LIMIT.perMs;
  const deviation = passed / allowed - 1;
  console.log(
    `a minute of ${GATEWAYS} gateways with one Redis: ${passed} passed of ${allowed.toFixed(0)} allowed (${(deviation * 100).toFixed(2)} %), ${refused} refused, ${[...statuses.values()].reduce((sum, count) => sum + count, 0) - passed - refused} neither`,
  );
  if (Math.abs(deviation) > DEVIATION_MAX) process.exitCode = 1;
}
