import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RecordingLog, tempDir } from '@usher/testing';
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
