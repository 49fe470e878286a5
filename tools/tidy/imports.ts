import { isBuiltin } from 'node:module';
import path from 'node:path';
import { type Allowed, IMPORT_TABLE, OUTSIDE } from './import-table.ts';
import { type Finding, isTest, lineOf, type Report, type Rule, select, type Tree } from './tree.ts';

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, and files named by `new URL('./x', import.meta.url)`. */
const IMPORTS = /(?:\bfrom\s+|\bimport\s*\(?\s*|\bnew URL\(\s*(?=['"]\.))(['"])(?<name>[^'"\n]+)\1/g;

/** What tests may use beyond the table. */
const TEST_PACKAGES = ['vitest', 'fast-check', '@grpc/grpc-js'];

/** Holds every import between workspaces, and of outside packages, to the import table. */
export const imports: Rule = {
  name: 'imports',
  check(tree: Tree): Report {
    const findings: Finding[] = [];
    const files = select(tree, /^(libs|services)\/[^/]+\/.*\.ts$|^cli\/.*\.ts$/);
    for (const [name, text] of files) {
      for (const match of withoutComments(text).matchAll(IMPORTS)) {
        const message = fault(name, match.groups?.['name'] ?? '');
        if (message !== undefined) findings.push({ path: name, line: lineOf(text, match.index), message });
      }
    }
    findings.push(...declared(tree));
    return { files: files.length, findings };
  },
};

/** `libs/domain` for a file in it; `cli` for a file of the command. */
function workspaceOf(name: string): string {
  const parts = name.split('/');
  return parts[0] === 'libs' || parts[0] === 'services' ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
}

function fault(importer: string, imported: string): string | undefined {
  const from = workspaceOf(importer);
  const allowed = IMPORT_TABLE[from];
  if (allowed === undefined) return `workspace ${from} is not in the import table`;
  if (imported.startsWith('.')) {
    const target = workspaceOf(path.posix.join(path.posix.dirname(importer), imported));
    // Files beside the workspaces, such as the project's package.json, belong to all.
    const foreign = target !== from && (target in IMPORT_TABLE || OUTSIDE.includes(target));
    return foreign ? `${imported} leaves ${from}; import the package instead` : undefined;
  }
  if (imported.startsWith('@usher/')) return workspaceFault(importer, from, allowed, imported);
  if (imported.includes(':') && !imported.startsWith('node:')) return undefined;
  return packageFault(importer, from, allowed, imported);
}

function workspaceFault(
  importer: string,
  from: string,
  allowed: Allowed,
  imported: string,
): string | undefined {
  const [name = '', ...inner] = imported.slice('@usher/'.length).split('/');
  if (inner.length > 0) return `${imported} reaches into a package; its index is all that others may import`;
  const target = Object.keys(IMPORT_TABLE).find((folder) => folder.split('/').at(-1) === name) ?? name;
  if (isTest(importer) && target.startsWith('libs/')) return undefined;
  if (target === from || allowed.workspaces.includes(target)) return undefined;
  return `${from} must not import ${target}`;
}

function packageFault(
  importer: string,
  from: string,
  allowed: Allowed,
  imported: string,
): string | undefined {
  if (isBuiltin(imported)) {
    return allowed.node || isTest(importer) ? undefined : `${from} must not import ${imported}: it is pure`;
  }
  const name = imported
    .split('/')
    .slice(0, imported.startsWith('@') ? 2 : 1)
    .join('/');
  const packages = isTest(importer) ? [...allowed.packages, ...TEST_PACKAGES] : allowed.packages;
  if (packages.some((each) => each === name || (each.endsWith('/*') && name.startsWith(each.slice(0, -1))))) {
    return undefined;
  }
  return `${from} must not use the package ${name}`;
}

/** A dependency that package.json declares is checked like an import: it is a wish for one. */
function declared(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [name, text] of select(tree, /^(libs|services)\/[^/]+\/package\.json$|^cli\/package\.json$/)) {
    const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
    for (const dependency of Object.keys(dependencies)) {
      const message = fault(name, dependency);
      const line = lineOf(text, text.indexOf(`"${dependency}"`));
      if (message !== undefined) findings.push({ path: name, line, message });
    }
  }
  return findings;
}

/** Comments become spaces of the same length, so that positions stay true. Strings keep their comment marks. */
export function withoutComments(text: string): string {
  const tokens = /(['"])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\.|[^\\`])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replaceAll(tokens, (token) =>
    token.startsWith('/') ? token.replaceAll(/[^\n]/g, ' ') : token,
  );
}
