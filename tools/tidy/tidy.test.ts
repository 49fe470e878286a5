import { describe, expect, test } from 'vitest';
import { decisions, links, paths } from './docs.ts';
import { imports } from './imports.ts';
import { errorPage, generatedPage } from './references.ts';
import { ambient, sizes, words } from './sources.ts';
import { functionSize, surfaces } from './surfaces.ts';
import type { Rule, Tree } from './tree.ts';

const tree = (files: Record<string, string>): Tree => new Map(Object.entries(files));
/** What a rule says about these files, without the messages' reasons. */
const found = (rule: Rule, files: Record<string, string>) =>
  rule.check(tree(files)).findings.map(({ path, line }) => `${path}:${line}`);
const accepts = (rule: Rule, files: Record<string, string>) => {
  expect(rule.check(tree(files)).findings).toEqual([]);
  expect(rule.check(tree(files)).files).toBeGreaterThan(0);
};

const manifest = (exports: unknown) => JSON.stringify({ exports });

const lint = (rule: unknown, files: string[], override: unknown) => ({
  '.oxlintrc.json': JSON.stringify({
    rules: { 'max-lines-per-function': rule },
    overrides: [{ files, rules: { 'max-lines-per-function': override } }],
  }),
});

test('a rule that had nothing to look at says so', () => {
  const rules = [imports, sizes, words, ambient, surfaces, functionSize, links, paths, decisions];
  for (const rule of rules) expect(rule.check(tree({})).files, rule.name).toBe(0);
  expect(errorPage('errors.md', {}).check(tree({})).files).toBe(0);
});

describe('imports', () => {
  const gateway = 'services/gateway/src/a.ts';

  test.each([
    ['a service that imports another service', gateway, `import { a } from '@usher/health';`],
    ['a service that imports an adapter', gateway, `import type { a } from '@usher/event-log';`],
    ['a service that imports the test helpers', gateway, `import { a } from '@usher/testing';`],
    ['the domain importing the events', 'libs/domain/src/a.ts', `export { a } from '@usher/events';`],
    ['the domain importing a Node module', 'libs/domain/src/a.ts', `import { readFileSync } from 'node:fs';`],
    ['the events importing a Node module', 'libs/events/src/a.ts', `import 'fs';`],
    ['a package that is not in the table', gateway, `const a = await import('left-pad');`],
    ['a scoped package that is not in the table', gateway, `import a from '@fastify/static';`],
    ['a package of another library', 'libs/runtime/src/a.ts', `import { Redis } from 'ioredis';`],
    ['a path into a package', gateway, `import { a } from '@usher/domain/src/errors.ts';`],
    ['a relative path into another workspace', gateway, `import { a } from '../../health/src/a.ts';`],
    ['a relative path into the tests', gateway, `import { a } from '../../../tests/support/a.ts';`],
    ['a worker file of another workspace', gateway, `new URL('../../health/src/a.ts', import.meta.url)`],
    ['an import over several lines', gateway, `import {\n  a,\n  b,\n} from '@usher/health';`],
    ['a workspace that is not in the table', 'libs/extra/src/a.ts', `import { a } from '@usher/domain';`],
    [
      'a test that imports another service',
      'services/gateway/src/a.test.ts',
      `import { a } from '@usher/health';`,
    ],
  ])('%s is refused', (_what, path, source) => {
    expect(found(imports, { [path]: source })).toHaveLength(1);
  });

  test('a declared dependency is held to the table like an import', () => {
    const text = '{\n  "dependencies": {\n    "@usher/event-log": "*"\n  }\n}';
    expect(found(imports, { [gateway]: '', 'services/gateway/package.json': text })).toEqual([
      'services/gateway/package.json:3',
    ]);
  });

  test('what the table allows, what comments say and what tests need is accepted', () => {
    accepts(imports, {
      [gateway]: `import { a } from '@usher/domain';\nimport { b } from './b.ts';\nimport net from 'node:net';`,
      'services/gateway/src/b.ts': `// import { a } from '@usher/health';\n/* from '@usher/health' */`,
      'services/gateway/src/a.test.ts': `import { a } from '@usher/testing';\nimport { test } from 'vitest';`,
      'libs/domain/src/a.test.ts': `import { readFileSync } from 'node:fs';`,
      'libs/event-log/src/a.ts': `import { connect } from 'nats';\nimport { j } from '@nats-io/jetstream';`,
      'cli/src/main.ts': `import { a } from '@usher/event-log';`,
      'cli/src/version.ts': `import manifest from '../../package.json';\nnew URL('name.json', root)`,
    });
  });
});

describe('sources', () => {
  test('a file of 300 lines is accepted and one of 301 is not', () => {
    accepts(sizes, { 'libs/domain/src/a.ts': 'a\n'.repeat(300) });
    expect(found(sizes, { 'libs/domain/src/a.ts': 'a\n'.repeat(301) })).toEqual(['libs/domain/src/a.ts:301']);
  });

  test('file names are kebab-case', () => {
    accepts(sizes, { 'cli/src/read-config.int.test.ts': '', 'vitest.config.ts': '', 'tools/start.mjs': '' });
    expect(found(sizes, { 'cli/src/readConfig.ts': '', 'cli/src/read_config.ts': '' })).toHaveLength(2);
  });

  // The bar in each word keeps this file from breaking the rule that it tests.
  test.each([
    '// T¦ODO later',
    '// F¦IXME',
    '// @ts-i¦gnore',
    '// @ts-e¦xpect-error why',
    '// oxlint-d¦isable-next-line',
    '/* eslint-d¦isable */',
    '// biome-i¦gnore format: x',
    'const a = b as u¦nknown as string;',
    "test.s¦kip('a', () => {});",
    "describe.o¦nly('a', () => {});",
    "it.concurrent.t¦odo('a');",
    "test.s¦kipIf(true)('a', () => {});",
  ])('%s is refused', (written) => {
    const source = written.replace('¦', '');
    expect(found(words, { 'libs/domain/src/a.ts': `\n${source}\n` })).toEqual(['libs/domain/src/a.ts:2']);
  });

  test('words that only resemble a banned one are accepted', () => {
    accepts(words, { 'libs/domain/src/a.ts': 'const todos = items.skip(1); // mkdtemp XXXXXX' });
  });

  test('only the entry of the command reads the environment', () => {
    accepts(ambient, {
      'cli/src/main.ts': 'run(process.env)',
      'libs/domain/src/a.ts': '// process.env is not read here',
      'libs/domain/src/a.test.ts': 'process.env',
    });
    const files = {
      'cli/src/run.ts': '\nprocess.env.HOME',
      'libs/runtime/src/a.ts': `import { env } from 'node:process';`,
    };
    expect(found(ambient, files)).toEqual(['cli/src/run.ts:2', 'libs/runtime/src/a.ts:1']);
  });

  test('nothing has a default export', () => {
    expect(found(ambient, { 'libs/domain/src/a.ts': 'export default 1;' })).toHaveLength(1);
  });
});

describe('surfaces', () => {
  test('a package has one index with names', () => {
    accepts(surfaces, {
      'libs/domain/package.json': manifest('./src/index.ts'),
      'libs/domain/src/index.ts': `export { a } from './a.ts';`,
    });
    expect(found(surfaces, { 'libs/domain/package.json': manifest('./src/index.ts') })).toEqual([
      'libs/domain/src/index.ts:1',
    ]);
    expect(
      found(surfaces, {
        'libs/domain/package.json': manifest({ '.': './src/index.ts', './a': './src/a.ts' }),
        'libs/domain/src/index.ts': `\nexport * from './a.ts';\n`,
      }),
    ).toEqual(['libs/domain/package.json:1', 'libs/domain/src/index.ts:2']);
  });

  test('the linter’s limit on functions stays on for everything but tests', () => {
    accepts(functionSize, lint(['error', { max: 70 }], ['**/*.test.ts'], 'off'));
    expect(found(functionSize, lint(['error', { max: 100 }], ['**/*.test.ts'], 'off'))).toHaveLength(1);
    expect(found(functionSize, lint(['warn', { max: 70 }], ['**/*.test.ts'], 'off'))).toHaveLength(1);
    expect(found(functionSize, lint(['error', { max: 70 }], ['cli/**'], 'off'))).toHaveLength(1);
  });
});

describe('docs', () => {
  test('a relative link leads to a file, a folder or a heading', () => {
    accepts(links, {
      'README.md': '[a](docs/a.md#two-words) [b](docs) [c](https://example.com) `[d](no.md)`',
      'docs/a.md': '## Two `words`!\n\n[up](../README.md) [here](#two-words)',
    });
    expect(
      found(links, { 'README.md': 'x\n[a](docs/none.md)\n[b](docs/a.md#none)', 'docs/a.md': '# A' }),
    ).toEqual(['README.md:2', 'README.md:3']);
  });

  test('a file that a page names is there, by its path or the end of it', () => {
    const files = { 'libs/domain/src/errors.ts': '', 'CHANGELOG.md': '`gone/away.ts`' };
    accepts(paths, {
      ...files,
      'a.md': '`libs/domain/src/errors.ts` `src/errors.ts` `libs/domain/` `npm run x` `10/8`',
    });
    expect(found(paths, { ...files, 'a.md': '`src/error.ts`\n`libs/none/`' })).toEqual(['a.md:1', 'a.md:2']);
  });

  test('decision records are numbered without gaps and listed', () => {
    const record = 'docs/decisions/0001-nats.md';
    accepts(decisions, { [record]: '', 'docs/decisions/README.md': '[1](0001-nats.md)' });
    expect(found(decisions, { [record]: '', 'docs/decisions/README.md': '' })).toEqual([
      'docs/decisions/README.md:1',
    ]);
    const gap = { [record]: '', 'docs/decisions/0003-zod.md': '' };
    const index = { 'docs/decisions/README.md': '[1](0001-nats.md) [3](0003-zod.md)' };
    expect(found(decisions, { ...gap, ...index })).toEqual(['docs/decisions/0003-zod.md:1']);
  });

  test('the page of errors and the catalogue name the same codes with the same facts', () => {
    const rule = errorPage('errors.md', {
      no_backend: { status: 503, title: 'No backend', fault: 'usher', retryAfterS: 1 },
      not_found: { status: 404, title: 'Not found', fault: 'client' },
    });
    const known = '| `not_found` | 404 | client | no | It is not there. |';
    accepts(rule, { 'errors.md': `| \`no_backend\` | 503 | usher | after 1 s | Wait. |\n${known}\n` });
    expect(found(rule, { 'errors.md': known })).toEqual(['errors.md:1']);
    expect(found(rule, { 'errors.md': `| \`no_backend\` | 502 | usher | no | Wait. |\n${known}\n` })).toEqual(
      ['errors.md:1'],
    );
    expect(
      found(rule, {
        'errors.md': `| \`no_backend\` | 503 | usher | after 1 s | - |\n${known}\n| \`gone\` | 404 |`,
      }),
    ).toEqual(['errors.md:3']);
  });

  test('a page made from the code is refused when it is stale or missing', () => {
    const rule = generatedPage('events.md', 'new');
    accepts(rule, { 'events.md': 'new' });
    expect(found(rule, { 'events.md': 'old' })).toEqual(['events.md:1']);
    expect(found(rule, {})).toEqual(['events.md:1']);
  });
});
