import path from 'node:path';
import { type Finding, lineOf, type Report, type Rule, select, type Tree } from './tree.ts';

const LINK = /\[[^\]\n]*\]\((?<target>[^)\s]+)(?:\s+"[^"]*")?\)/g;

/** Every relative link in a page leads to a file of the project and, if it names one, to a heading of it. */
export const links: Rule = {
  name: 'links',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const pages = select(tree, /\.md$/);
    const folders = new Set([...tree.keys()].flatMap(parentsOf));
    for (const [page, text] of pages) {
      for (const match of withoutCode(text).matchAll(LINK)) {
        const target = match.groups?.['target'] ?? '';
        if (/^[a-z]+:/.test(target)) continue;
        const message = deadness(tree, folders, page, target);
        if (message !== undefined) findings.push({ path: page, line: lineOf(text, match.index), message });
      }
    }
    return { files: pages.length, findings };
  },
};

function deadness(
  tree: Tree,
  folders: ReadonlySet<string>,
  page: string,
  target: string,
): string | undefined {
  const [file = '', heading] = target.split('#');
  const resolved = file === '' ? page : path.posix.join(path.posix.dirname(page), file).replace(/\/$/, '');
  if (!tree.has(resolved) && !folders.has(resolved)) return `${target} leads nowhere`;
  if (heading === undefined) return undefined;
  return headings(tree.get(resolved) ?? '').includes(heading) ? undefined : `${target}: no such heading`;
}

function parentsOf(file: string): string[] {
  const parents: string[] = [];
  for (let folder = path.posix.dirname(file); folder !== '.'; folder = path.posix.dirname(folder)) {
    parents.push(folder);
  }
  return parents;
}

/** The anchors that the usual renderers give to a page's headings. */
function headings(text: string): string[] {
  return [...text.replaceAll(FENCES, '').matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

const FENCES = /^```[\s\S]*?^```/gm;

const blank = (code: string) => code.replaceAll(/[^\n]/g, ' ');

/** Fenced blocks and code spans are not read for links; they become spaces, so that positions stay true. */
function withoutCode(text: string): string {
  return text.replaceAll(FENCES, blank).replaceAll(/`[^`\n]*`/g, blank);
}

/** A code span that names a source file or a folder by its path, or by the end of it. */
const SOURCE_PATH =
  /`(?<path>[a-z0-9._-]+(?:\/[a-z0-9._-]+)*(?:\/[a-z0-9._-]+\.(?:ts|mjs|json|yaml|conf)|\/))`/g;

/** Files that a page names are there. Records of decisions and of changes tell of their time, so they are left out. */
export const paths: Rule = {
  name: 'paths',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const pages = select(tree, /\.md$/).filter(([name]) => !/^CHANGELOG|^docs\/decisions\//.test(name));
    const known = [...tree.keys()].map((name) => `/${name}`);
    for (const [page, text] of pages) {
      for (const match of text.matchAll(SOURCE_PATH)) {
        const named = match.groups?.['path'] ?? '';
        const exists = known.some((name) =>
          named.endsWith('/') ? name.includes(`/${named}`) : name.endsWith(`/${named}`),
        );
        if (!exists)
          findings.push({ path: page, line: lineOf(text, match.index), message: `${named} is not there` });
      }
    }
    return { files: pages.length, findings };
  },
};

const DECISIONS = 'docs/decisions/';

/** Decision records are numbered without gaps and all listed in the index beside them. */
export const decisions: Rule = {
  name: 'decisions',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const index = `${DECISIONS}README.md`;
    const listed = tree.get(index) ?? '';
    const records = select(tree, /^docs\/decisions\/(?!README\.md$)/).map(([name]) => name);
    records.sort();
    for (const [at, record] of records.entries()) {
      const name = record.slice(DECISIONS.length);
      const number = String(at + 1).padStart(4, '0');
      if (!new RegExp(`^${number}-[a-z0-9-]+\\.md$`).test(name)) {
        findings.push({ path: record, line: 1, message: `should be named ${number}-title.md` });
      }
      if (!listed.includes(`](${name})`))
        findings.push({ path: index, line: 1, message: `does not list ${name}` });
    }
    return { files: records.length, findings };
  },
};
