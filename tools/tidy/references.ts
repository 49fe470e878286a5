import type { ErrorKind } from '@usher/domain';
import { type Finding, lineOf, type Report, type Rule, type Tree } from './tree.ts';

/**
 * The page of error codes is written by hand, because it says what to do; its rows are compared with the catalogue in
 * both directions: code, status, whose fault, and when to retry.
 */
export function errorPage(page: string, errors: Readonly<Record<string, ErrorKind>>): Rule {
  return {
    name: 'error page',
    check(tree: Tree): Report {
      const text = tree.get(page);
      if (text === undefined) return { files: 0, findings: [] };
      const findings: Finding[] = [];
      const rows = new Set<string>();
      for (const match of text.matchAll(/^\| `(?<code>\w+)` \|(?<cells>.*)$/gm)) {
        const { code = '', cells = '' } = match.groups ?? {};
        const add = (message: string) =>
          findings.push({ path: page, line: lineOf(text, match.index), message });
        rows.add(code);
        const kind = errors[code];
        if (kind === undefined) add(`there is no error ${code}`);
        else if (!cells.startsWith(` ${facts(kind)} |`)) add(`${code} should start with "${facts(kind)}"`);
      }
      for (const code of Object.keys(errors)) {
        if (!rows.has(code)) findings.push({ path: page, line: 1, message: `does not explain ${code}` });
      }
      return { files: rows.size, findings };
    },
  };
}

/** Status, fault and Retry-After as the row of an error begins. */
function facts(kind: ErrorKind): string {
  const retry = kind.retryAfterS === undefined ? 'no' : `after ${kind.retryAfterS} s`;
  return `${kind.status} | ${kind.fault} | ${retry}`;
}

/** A page that is made from the code is the one that the code makes now. */
export function generatedPage(page: string, expected: string): Rule {
  return {
    name: page,
    check(tree: Tree): Report {
      const text = tree.get(page);
      const message = text === undefined ? 'is missing' : 'is stale';
      const findings =
        text === expected ? [] : [{ path: page, line: 1, message: `${message}; run \`npm run docs\`` }];
      return { files: 1, findings };
    },
  };
}
