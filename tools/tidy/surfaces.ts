import { FUNCTION_LINES_MAX } from './sources.ts';
import { type Finding, lineOf, type Report, type Rule, select, type Tree } from './tree.ts';

/** Each library and service shows others one list of names, and nothing else of it can be imported. */
export const surfaces: Rule = {
  name: 'surfaces',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const packages = select(tree, /^(libs|services)\/[^/]+\/package\.json$/);
    for (const [path, text] of packages) {
      const { exports } = JSON.parse(text) as { exports?: unknown };
      if (exports !== './src/index.ts') {
        findings.push({ path, line: 1, message: 'exports must be "./src/index.ts" alone' });
      }
      const index = path.replace(/package\.json$/, 'src/index.ts');
      const source = tree.get(index);
      if (source === undefined) findings.push({ path: index, line: 1, message: 'is missing' });
      else if (!/\bexport\b/.test(source))
        findings.push({ path: index, line: 1, message: 'exports nothing' });
    }
    for (const [path, text] of select(tree, /\.ts$/)) {
      for (const match of text.matchAll(/^export \*/gm)) {
        findings.push({ path, line: lineOf(text, match.index), message: 'exports are listed by name' });
      }
    }
    return { files: packages.length, findings };
  },
};

interface LintConfig {
  readonly rules?: Readonly<Record<string, unknown>>;
  readonly overrides?: readonly {
    readonly files: readonly string[];
    readonly rules?: Readonly<Record<string, unknown>>;
  }[];
}

const FUNCTION_RULE = 'max-lines-per-function';
const LINT_CONFIG = '.oxlintrc.json';

/** The linter measures functions; this rule keeps that rule switched on for everything but tests. */
export const functionSize: Rule = {
  name: 'function size',
  check(tree: Tree): Report {
    const text = tree.get(LINT_CONFIG);
    if (text === undefined) return { files: 0, findings: [] };
    const config = JSON.parse(text) as LintConfig;
    const findings: Finding[] = [];
    if (!limits(config.rules?.[FUNCTION_RULE])) {
      const message = `${FUNCTION_RULE} must be an error above ${FUNCTION_LINES_MAX} lines`;
      findings.push({ path: LINT_CONFIG, line: 1, message });
    }
    for (const { files, rules } of config.overrides ?? []) {
      const rule = rules?.[FUNCTION_RULE];
      const forTests = files.every((each) => /\.test\.ts$|contract/.test(each) || each.startsWith('tests/'));
      if (rule !== undefined && !limits(rule) && !forTests) {
        const message = `${FUNCTION_RULE} may be off for tests only, not for ${files.join(', ')}`;
        findings.push({ path: LINT_CONFIG, line: lineOf(text, text.indexOf(files[0] ?? '')), message });
      }
    }
    return { files: 1, findings };
  },
};

function limits(rule: unknown): boolean {
  if (!Array.isArray(rule) || rule[0] !== 'error') return false;
  const { max, skipComments = false } = rule[1] as { max?: number; skipComments?: boolean };
  return max !== undefined && max <= FUNCTION_LINES_MAX && !skipComments;
}
