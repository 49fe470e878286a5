import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RecordingLog, SimulatedClock, tempDir } from '@usher/testing';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { FileWatch } from './file-watch.ts';

let folder: string;
beforeEach(() => {
  const directory = tempDir();
  onTestFinished(() => directory.remove());
  folder = directory.path;
});

const at = (name: string) => path.join(folder, name);

/** Kubernetes' way: a link to a folder with all files, which another link takes the place of. */
function mount(release: string): void {
  mkdirSync(at(release));
  writeFileSync(path.join(at(release), 'file'), release);
  symlinkSync(release, at('..data_tmp'));
  renameSync(at('..data_tmp'), at('..data'));
}

test.each<[string, () => void, () => void]>([
  ['written in place', () => writeFileSync(at('file'), '1'), () => writeFileSync(at('file'), '2')],
  [
    'replaced by another',
    () => writeFileSync(at('file'), '1'),
    () => {
      writeFileSync(at('.file.swp'), '2');
      renameSync(at('.file.swp'), at('file'));
    },
  ],
  [
    'moved away and written anew',
    () => writeFileSync(at('file'), '1'),
    () => {
      renameSync(at('file'), at('file~'));
      writeFileSync(at('file'), '2');
    },
  ],
  ['removed', () => writeFileSync(at('file'), '1'), () => rmSync(at('file'))],
  ['there at last', () => {}, () => writeFileSync(at('file'), '1')],
  [
    'behind a link to a folder that is exchanged',
    () => {
      mount('..one');
      symlinkSync('..data/file', at('file'));
    },
    () => {
      mount('..two');
      rmSync(at('..one'), { recursive: true });
    },
  ],
  [
    'written where links to other folders lead',
    () => {
      mkdirSync(at('releases/one'), { recursive: true });
      writeFileSync(at('releases/one/file'), '1');
      symlinkSync('releases/one', at('current'));
      mkdirSync(at('etc'));
      symlinkSync('../current/file', at('etc/link'));
      symlinkSync(at('etc/link'), at('file'));
    },
    () => writeFileSync(at('releases/one/file'), '2'),
  ],
])('a file that is %s is noticed, again and again', async (_how, prepare, change) => {
  prepare();
  let calls = 0;
  const watch = new FileWatch([at('file')], systemClock(), new RecordingLog(), () => {
    calls += 1;
  });
  onTestFinished(() => watch.stop());
  change();
  await vi.waitFor(() => expect(calls).toBeGreaterThan(0), 5_000);
  const before = calls;
  // Through links, where there are some.
  writeFileSync(at('file'), '3');
  await vi.waitFor(() => expect(calls).toBeGreaterThan(before), 5_000);
});

/** A watch over one file by a clock that the test moves. */
function simulated(name: string) {
  const clock = new SimulatedClock();
  const log = new RecordingLog();
  const seen = { calls: 0 };
  const files = new FileWatch([at(name)], clock, log, () => {
    seen.calls += 1;
  });
  onTestFinished(() => files.stop());
  return {
    clock,
    log,
    seen,
    /** Something has been heard that it has not yet called back for. */
    hears: () => vi.waitFor(() => expect(clock.timers).toBe(2), 5_000),
  };
}

/** Does something and waits until whoever watches the folder has heard of that name in it. */
async function heard(name: string, act: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ear = watch(folder, (_event, touched) => {
    if (touched === name) resolve();
  });
  act();
  await promise;
  ear.close();
}

test.each([
  ['a log', () => 'log'],
  ['a log with the name of its folder', () => path.basename(folder)],
])(
  '%s that is written anew all the time delays no edit, and has the files read once a second',
  async (_what, nameOf) => {
    writeFileSync(at('file'), '1');
    const { clock, seen } = simulated('file');
    const name = nameOf();
    const busy = async (ms: number) => {
      for (let spent = 0; spent < ms; spent += 100) {
        await heard(name, () => {
          writeFileSync(at('new'), 'a line\n');
          renameSync(at('new'), at(name));
        });
        clock.advance(100);
      }
    };
    await busy(3_000);
    expect(seen.calls).toBeGreaterThanOrEqual(2);
    expect(seen.calls).toBeLessThanOrEqual(4);
    // None is due because of the log.
    clock.advance(1_500);
    await busy(300);
    const before = seen.calls;
    await heard('file', () => {
      writeFileSync(at('.file.swp'), 'second');
      renameSync(at('.file.swp'), at('file'));
    });
    await busy(500);
    expect(seen.calls).toBe(before + 1);
  },
);

test('a file that is being written is read when it is still, and by no poll before', async () => {
  writeFileSync(at('file'), '');
  const { clock, log, seen } = simulated('file');
  clock.advance(29_900);
  for (let spent = 0; spent < 61_000; spent += 100) {
    await heard('file', () => appendFileSync(at('file'), 'more\n'));
    clock.advance(100);
    expect(seen.calls).toBe(0);
  }
  expect(log.entries).toMatchObject([{ level: 'warn', fields: { files: [at('file')] } }]);
  clock.advance(400);
  expect(seen.calls).toBe(1);
});

/** Puts a new folder with the file in the place of `etc`. */
function makeAnew(): void {
  mkdirSync(at('etc/conf'), { recursive: true });
  writeFileSync(at('etc/conf/file'), '2');
}

test.each<[string, () => void, (() => void) | undefined]>([
  ['exchanged', () => (renameSync(at('etc/conf'), at('etc/old')), makeAnew()), undefined],
  ['removed and made', () => (rmSync(at('etc/conf'), { recursive: true }), makeAnew()), undefined],
  ['away for a while', () => renameSync(at('etc/conf'), at('etc/old')), makeAnew],
  ['away with the one around it', () => rmSync(at('etc'), { recursive: true }), makeAnew],
])('a folder that is %s is followed at once', async (_how, first, then) => {
  makeAnew();
  const { clock, seen, hears } = simulated('etc/conf/file');
  for (const act of [first, then ?? [], () => writeFileSync(at('etc/conf/file'), 'three')].flat()) {
    const before = seen.calls;
    act();
    await hears();
    clock.advance(1_500);
    expect(seen.calls).toBeGreaterThan(before);
  }
});

test('a folder within one that was exchanged is followed from the next poll on', async () => {
  makeAnew();
  const { clock, seen, hears } = simulated('etc/conf/file');
  renameSync(at('etc'), at('old'));
  makeAnew();
  clock.advance(30_500);
  expect(seen.calls).toBe(1);
  writeFileSync(at('etc/conf/file'), 'three');
  await hears();
  clock.advance(400);
  expect(seen.calls).toBe(2);
});
