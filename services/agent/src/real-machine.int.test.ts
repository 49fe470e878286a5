import { spawn } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendStats } from '@usher/domain';
import type { MessageBus } from '@usher/ports';
import { RecordingLog, seededRandom, tempDir, wallClock } from '@usher/testing';
import { expect, test } from 'vitest';
import { startAgent } from './index.ts';
import { busyBetween, loadProgram, type ProcReading, readProc } from './testing/real-proc.ts';

const WINDOW = 15;
const LOAD_SECONDS_MAX = 45;

test('what is reported under load is within 2 % of what /proc says over the same window', async () => {
  const dir = tempDir();
  // Only the machine counts here, whatever limits the test itself runs under.
  symlinkSync('/proc', join(dir.path, 'proc'));
  const seen: { stats: BackendStats; proc: ProcReading }[] = [];
  const bus: MessageBus = {
    publish: (_subject, payload) => {
      seen.push({ stats: JSON.parse(payload) as BackendStats, proc: readProc() });
    },
    request: async () => '{}',
    serve: () => ({ stop: () => undefined }),
    subscribe: () => ({ stop: () => undefined }),
  };
  const load = spawn(process.execPath, ['-e', loadProgram(0.6, LOAD_SECONDS_MAX)], { stdio: 'ignore' });
  const agent = startAgent({
    id: 'real',
    target: { bus },
    clock: wallClock,
    random: seededRandom(1),
    log: new RecordingLog(),
    sources: { root: dir.path, nvidiaSmi: join(dir.path, 'none') },
  });
  try {
    await expect.poll(() => seen.length, { timeout: 40_000, interval: 100 }).toBeGreaterThan(WINDOW + 2);
  } finally {
    await agent.stop();
    load.kill('SIGKILL');
    dir.remove();
  }
  const last = seen.at(-1);
  const first = seen.at(-1 - WINDOW);
  if (last === undefined || first === undefined) throw new Error('nothing was reported');
  const busy = busyBetween(first.proc, last.proc);
  expect(last.stats.coresPercent).toHaveLength(busy.length);
  expect(Math.max(...busy)).toBeGreaterThan(20);
  for (const [core, percent] of busy.entries()) {
    const off = Math.abs((last.stats.coresPercent[core] ?? Number.NaN) - percent);
    expect(off, `core ${core}`).toBeLessThanOrEqual(Math.max(0.02 * percent, 0.5));
  }
  const used = seen.slice(-WINDOW).map(({ proc }) => proc.memoryUsedBytes);
  const mean = used.reduce((sum, bytes) => sum + bytes, 0) / used.length;
  expect(Math.abs(last.stats.memoryUsedBytes - mean)).toBeLessThanOrEqual(0.02 * mean);
});
