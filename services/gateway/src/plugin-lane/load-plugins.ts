import { pathToFileURL } from 'node:url';
import { builtInPlugin, type PluginSettings } from '@usher/domain';
import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback } from 'fastify';
import { compression } from './compression.ts';

type Plugin = FastifyPluginAsync | FastifyPluginCallback;

/** Fastify's own mark of a plugin whose hooks count for whoever registers it instead of for itself alone. */
const SHARED_SCOPE = Symbol.for('skip-override');

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

function builtIn(settings: PluginSettings): Plugin {
  const read = builtInPlugin(settings);
  if ('message' in read) throw new Error(`plugin ${settings.name}: ${read.key}: ${read.message}`);
  return share(async (scope: FastifyInstance) => compression(scope, read));
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
