import { withoutComments } from './imports.ts';
import { type Finding, isTest, lineOf, type Report, type Rule, select, type Tree } from './tree.ts';

const FILE_LINES_MAX = 300;
export const FUNCTION_LINES_MAX = 70;

const CODE = /\.(ts|mjs|js)$/;
const FILE_NAME = /(^|\/)[a-z0-9]+(-[a-z0-9]+)*(\.(int|e2e))?(\.(test|cases|config))?\.(ts|mjs|js)$/;

/** Files are short and named alike. */
export const sizes: Rule = {
  name: 'sizes and names',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const files = select(tree, CODE);
    for (const [path, text] of files) {
      const lines = text.split('\n').length - 1;
      if (lines > FILE_LINES_MAX) {
        const message = `${lines} lines; at most ${FILE_LINES_MAX}, so give a second concept its own file`;
        findings.push({ path, line: FILE_LINES_MAX + 1, message });
      }
      if (!FILE_NAME.test(path)) findings.push({ path, line: 1, message: 'file names are kebab-case' });
    }
    return { files: files.length, findings };
  },
};

/** The character classes keep a pattern from matching its own source. */
const WORDS: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  {
    pattern: /\b(TO[D]O|FI[X]ME|XX[X]|HAC[K])\b/g,
    message: 'unfinished work is done or dropped, not marked',
  },
  { pattern: /@t[s]-(ignore|expect-error|nocheck)\b/g, message: 'the type checker is not silenced' },
  {
    pattern: /\b(oxlint|eslint|biome|prettier)-(disabl[e]|ignor[e])/g,
    message: 'the tools are not silenced',
  },
  { pattern: /\bas unknow[n] as\b/g, message: 'a cast through unknown hides a wrong type' },
];

const SKIPPED_TESTS =
  /\b(test|it|describe|suite)(\.\w+)*\.(ski[p]|onl[y]|tod[o]|skipI[f]|runI[f]|fail[s])\b|\bx(it|describe)\(/g;

/** Words that say that something is not finished or not checked. */
export const words: Rule = {
  name: 'words',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const files = select(tree, /./).filter(([path]) => path !== 'package-lock.json' && path !== 'LICENSE');
    for (const [path, text] of files) {
      const rules = CODE.test(path)
        ? [...WORDS, { pattern: SKIPPED_TESTS, message: 'every test runs, always' }]
        : WORDS;
      for (const { pattern, message } of rules) {
        for (const match of text.matchAll(pattern)) {
          findings.push({ path, line: lineOf(text, match.index), message: `"${match[0]}": ${message}` });
        }
      }
    }
    return { files: files.length, findings };
  },
};

/** The one file that turns the environment into values; everything else is given what it needs. */
const ENVIRONMENT_READER = 'cli/src/main.ts';

/** Sources of the program, as opposed to its tests and tools. */
const PROGRAM = /^(libs|services)\/[^/]+\/src\/.*\.ts$|^cli\/src\/.*\.ts$/;

/** Only the composition root reads the environment, and nothing has a default export. */
export const ambient: Rule = {
  name: 'environment and exports',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const files = select(tree, PROGRAM).filter(
      ([path]) => !isTest(path) && !path.startsWith('libs/testing/'),
    );
    for (const [path, text] of files) {
      const code = withoutComments(text);
      const add = (pattern: RegExp, message: string) => {
        for (const match of code.matchAll(pattern)) {
          findings.push({ path, line: lineOf(text, match.index), message });
        }
      };
      if (path !== ENVIRONMENT_READER) {
        add(
          /\bprocess\.env\b|\benv\b[^;\n]*from 'node:process'/g,
          `only ${ENVIRONMENT_READER} reads the environment`,
        );
      }
      add(/\bexport default\b/g, 'exports are named');
    }
    return { files: files.length, findings };
  },
};
