import { pathToFileURL } from 'node:url';
import type { PluginSettings } from '@usher/domain';
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify';
import { gzip } from './gzip.ts';

type Plugin = FastifyPluginAsync | FastifyPluginCallback;

/** Fastify's own mark of a plugin whose hooks count for whoever registers it instead of for itself alone. */
const SHARED_SCOPE = Symbol.for('skip-override');

const GZIP_MIN_SIZE_BYTES = 1024;

/** Registers the plugins of a route, in order, so that their hooks see the requests of that route. */
export async function registerPlugins(
  scope: FastifyInstance,
  plugins: readonly PluginSettings[],
): Promise<void> {
  for (const settings of plugins) {
    const plugin = settings.file === undefined ? builtIn(settings) : await load(settings.name, settings.file);
    await scope.register(plugin, settings.options);
  }
}

function builtIn({ name, options }: PluginSettings): Plugin {
  if (name !== 'gzip') throw new Error(`there is no built-in plugin ${name}`);
  const { min_size: minSize = GZIP_MIN_SIZE_BYTES, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`plugin gzip: there is no option ${unknown}`);
  const minSizeBytes = bytesOf(minSize);
  if (minSizeBytes === undefined) throw new Error('plugin gzip: min_size must be a size such as 1KiB');
  return share(async (scope: FastifyInstance) => gzip(scope, { minSizeBytes }));
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
};

/** Options of plugins arrive as they were written; a size has its unit or is a number of bytes. */
function bytesOf(size: unknown): number | undefined {
  const [, amount = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(String(size)) ?? [];
  const factor = SIZE_UNITS[unit];
  return amount === '' || factor === undefined ? undefined : Number(amount) * factor;
}

async function load(name: string, file: string): Promise<Plugin> {
  const { default: plugin }: { default?: unknown } = await import(pathToFileURL(file).href);
  if (typeof plugin !== 'function') {
    throw new Error(`plugin ${name}: ${file} has no default export that is a Fastify plugin`);
  }
  return share(plugin as Plugin);
}

/** Without the mark a plugin would be alone in its own scope and its hooks would never see a request. */
function share(plugin: Plugin): Plugin {
  return Object.assign(plugin, { [SHARED_SCOPE]: true });
}
