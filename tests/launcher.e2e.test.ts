import { chmodSync, copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, expect, test } from 'vitest';
import { start, USHER, usher } from './support/command.ts';

const directory = tempDir();
/** Without links in it, as the launcher resolves them. */
const root = realpathSync(directory.path);
afterAll(() => directory.remove());

/** A copy of the launcher in a project where nothing is installed, and a `node` of some version to find on PATH. */
function bareProject(name: string, nodeMajor: number): { launcher: string; searchPath: string } {
  const project = path.join(root, name);
  for (const folder of ['bin', 'path', 'cli/src']) mkdirSync(path.join(project, folder), { recursive: true });
  const launcher = path.join(project, 'bin', 'usher');
  copyFileSync(USHER, launcher);
  const node = path.join(project, 'path', 'node');
  writeFileSync(node, `#!/bin/sh\ncase $1 in -p) echo ${nodeMajor} ;; *) echo "$@" ;; esac\n`);
  chmodSync(node, 0o755);
  return { launcher, searchPath: `${path.dirname(node)}:/usr/bin:/bin` };
}

test('the launcher finds its project through links, whatever the working directory', async () => {
  const absolute = path.join(root, 'absolute');
  symlinkSync(USHER, absolute);
  symlinkSync('absolute', path.join(root, 'relative'));
  const direct = await usher(['version']);
  for (const link of [absolute, './relative']) {
    expect(await start(link, ['version'], root).result).toEqual(direct);
  }
  expect(direct.code).toBe(0);
});

test('without installed packages it takes a Node from PATH if that is new enough', async () => {
  const { launcher, searchPath } = bareProject('new', 24);
  const { code, stdout } = await start('env', [`PATH=${searchPath}`, launcher, 'a b', 'c'], root).result;
  expect(stdout.trim()).toBe(`${path.join(root, 'new', 'cli/src/main.ts')} a b c`);
  expect(code).toBe(0);
});

test('without one it says what to do', async () => {
  const { launcher, searchPath } = bareProject('old', 20);
  const { code, stderr } = await start('env', [`PATH=${searchPath}`, launcher], root).result;
  expect(stderr).toContain('needs Node 24 or newer');
  expect(stderr).toContain('npm ci');
  expect(code).toBe(1);
});
