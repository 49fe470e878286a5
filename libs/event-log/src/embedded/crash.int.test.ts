import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LogRecord } from '@usher/ports';
import { RecordingLog, recordsOf, tempDir, wallClock } from '@usher/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { openEmbedded } from './open.ts';

const WRITER = fileURLToPath(new URL('./fixtures/append-until-killed.ts', import.meta.url));
const KILLS = 8;

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** What the writing process has said, and a way to wait for it to say more. */
function follow(child: ChildProcess) {
  children.add(child);
  const acked = new Map<string, number>();
  let refused = 0;
  let wakeUp: (() => void) | undefined;
  const ended = once(child, 'close').finally(() => children.delete(child));
  if (child.stdout === null) throw new Error('the process has no output');
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const [word, id = '', position] = line.split(' ');
    if (word === 'acked') acked.set(id, Number(position));
    else refused += 1;
    wakeUp?.();
  });
  return {
    acked,
    get refused() {
      return refused;
    },
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
        });
      }
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function expectPresent(records: readonly LogRecord[], acked: ReadonlyMap<string, number>): void {
  const positionOf = new Map(records.map((record) => [record.events[0]?.id, record.position]));
  const missing = [...acked].filter(([id, position]) => positionOf.get(id) !== position);
  expect(missing).toEqual([]);
}

function expectWhole(records: readonly LogRecord[]): void {
  const ids = records.map(({ events }) => events[0]?.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(records.map(({ position }) => position)).toEqual(ids.map((_, index) => index + 1));
  expect(records.filter(({ quarantined }) => quarantined.length > 0)).toEqual([]);
}

describe('embedded log whose process is killed', () => {
  it('has every acknowledged record, once and at its position, and takes over the lock', async () => {
    const dir = tempDir();
    const acked = new Map<string, number>();
    for (let run = 0; run < KILLS; run++) {
      const writer = follow(spawn(process.execPath, [WRITER, dir.path, `run${run}`]));
      await writer.until(() => writer.acked.size > 200 * (run + 1));
      await writer.kill();
      for (const [id, position] of writer.acked) acked.set(id, position);
    }
    const log = new RecordingLog();
    const { events } = await openEmbedded({ dir: dir.path, log, clock: wallClock });
    const records = await recordsOf(events);
    expectPresent(records, acked);
    expectWhole(records);
    await events.close();
    dir.remove();
  });

  it('is closed to others for as long as the process lives', async () => {
    const dir = tempDir();
    const child = spawn(process.execPath, [WRITER, dir.path, 'run']);
    const writer = follow(child);
    await writer.until(() => writer.acked.size > 0);
    const options = { dir: dir.path, log: new RecordingLog(), clock: wallClock };
    await expect(openEmbedded(options)).rejects.toThrow(`in use by process ${child.pid}`);
    await writer.kill();
    await (await openEmbedded(options)).close();
    dir.remove();
  });

  it('reports a torn end, removes it and goes on behind the last whole record', async () => {
    const dir = tempDir();
    const writer = follow(spawn(process.execPath, [WRITER, dir.path, 'run']));
    await writer.until(() => writer.acked.size > 100);
    await writer.kill();
    const segments = join(dir.path, 'segments');
    appendFileSync(join(segments, readdirSync(segments)[0] ?? ''), '{"crc":"01234567","position":99');
    const log = new RecordingLog();
    const { events } = await openEmbedded({ dir: dir.path, log, clock: wallClock });
    expect(log.entries.map(({ level, message }) => [level, message])).toEqual([
      ['warn', expect.stringContaining('torn')],
    ]);
    const records = await recordsOf(events);
    expectPresent(records, writer.acked);
    expectWhole(records);
    await events.close();
    dir.remove();
  });

  it('refuses appends while the disk takes no more, and takes them again when it does', async () => {
    const dir = tempDir();
    const limit = 'trap "" XFSZ; ulimit -S -f 100; exec "$0" "$@"';
    const child = spawn('bash', ['-c', limit, process.execPath, WRITER, dir.path, 'run']);
    const writer = follow(child);
    await writer.until(() => writer.refused > 50);
    const ackedBefore = writer.acked.size;
    await once(spawn('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']), 'exit');
    await writer.until(() => writer.acked.size > ackedBefore + 500);
    await writer.kill();
    const { events } = await openEmbedded({ dir: dir.path, log: new RecordingLog(), clock: wallClock });
    const records = await recordsOf(events);
    expectPresent(records, writer.acked);
    expectWhole(records);
    await events.close();
    dir.remove();
  });
});
