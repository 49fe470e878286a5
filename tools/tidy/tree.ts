import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The project's text files by their path from its root, with `/` between the parts. */
export type Tree = ReadonlyMap<string, string>;

/** One thing that is not as the rules want it. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** What a rule looked at and what it found. A rule that looked at nothing proves nothing, so that is a failure too. */
export interface Report {
  readonly files: number;
  readonly findings: readonly Finding[];
}

export interface Rule {
  readonly name: string;
  check(tree: Tree): Report;
}

const TEXT =
  /\.(ts|mjs|js|json|md|yaml|yml|css|html|svg|sh|conf|toml)$|(^|\/)(Dockerfile|LICENSE|usher|run)$/;

/** What git knows or would add: files of the working tree that are not ignored. */
export function readTree(root: string): Tree {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const tree = new Map<string, string>();
  for (const name of listed.split('\0')) {
    const file = path.join(root, name);
    // A file may be deleted and not yet committed as such.
    if (TEXT.test(name) && existsSync(file)) tree.set(name, readFileSync(file, 'utf8'));
  }
  return tree;
}

/** The files whose path matches. */
export function select(tree: Tree, pattern: RegExp): [path: string, text: string][] {
  return [...tree].filter(([name]) => pattern.test(name));
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Tests, and what only they import: `test-….ts`, `….cases.ts`, `testing/` and `contract/` beside them, the helpers in `tests/`. */
export function isTest(name: string): boolean {
  return /\.test\.ts$|\/test-[a-z-]+\.ts$|\/src\/(?:.+\/)?(testing|contract)\/|\.cases\.ts$|^tests\//.test(
    name,
  );
}
