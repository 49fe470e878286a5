import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { TriedModule, Trying } from './module-faults.ts';

/** No module has it. */
const NOTHING = 'thereIsNoSuchExport';
const NOT_EXPORTED = /does not provide an export named|ambiguous/;
const NO_PLUGIN = 'it has no default export that is a Fastify plugin';

/**
 * A thread that tries modules, tells what is wrong with each and is ended then, so that nothing of them stays in the process.
 */
async function tryAll({ files, run }: Trying): Promise<void> {
  for (const file of files) {
    const fault = (await linkFault(file)) ?? (run ? await runFault(file) : undefined);
    parentPort?.postMessage({ file, fault } satisfies TriedModule, []);
  }
}

async function linkFault(file: string): Promise<string | undefined> {
  const error = await linkError(
    `import { default as plugin } from ${JSON.stringify(pathToFileURL(file).href)};`,
  );
  if (error !== undefined) return inWords(error);
  // What is no module for certain is taken for CommonJS then, which is not read before it is run.
  const isKnown = ['.mjs', '.mts', '.ts', '.cts'].includes(extname(file));
  return isKnown || (await isJavaScript(await readFile(file, 'utf8'))) ? undefined : 'it is no JavaScript';
}

/**
 * Modules are read and linked, the inner ones first, before the first of them is run (ECMA-262 section 16.2.1.6). So one that
 * imports these lines, and then what there is not, has them and all that they import read and linked, and nothing run.
 */
async function linkError(lines: string): Promise<unknown> {
  const outer = `import ${JSON.stringify(inline(lines))}; import { ${NOTHING} } from 'node:module';`;
  try {
    await import(inline(outer));
    return undefined;
  } catch (error) {
    return String(error).includes(NOTHING) ? undefined : error;
  }
}

function inline(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** As a module or not. */
async function isJavaScript(text: string): Promise<boolean> {
  try {
    compileFunction(text.replace(/^#!.*/, ''));
    return true;
  } catch {
    const error = await linkError(text);
    return !(error instanceof SyntaxError) || NOT_EXPORTED.test(error.message);
  }
}

/** The file may be any that somebody has named, so nothing that is in it is quoted. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be loaded';
  const code = 'code' in error ? String(error.code) : '';
  if (error.message.endsWith("export named 'default'")) return NO_PLUGIN;
  if (error instanceof SyntaxError && !NOT_EXPORTED.test(error.message)) {
    const [kind = ''] = /^[^'"`/:]*/.exec(error.message) ?? [];
    return `it is no JavaScript: ${kind.trim()}`;
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || NOT_EXPORTED.test(error.message))
    return 'it imports what cannot be found';
  return `it cannot be loaded${code === '' ? '' : `: ${code}`}`;
}

async function runFault(file: string): Promise<string | undefined> {
  try {
    const { default: plugin } = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return typeof plugin === 'function' ? undefined : NO_PLUGIN;
  } catch (error) {
    return `it throws when it is loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

await tryAll(workerData as Trying);
