import { builtInPlugin, type PluginSettings } from '@usher/domain';
import type { FastifyInstance } from 'fastify';
import { compression } from './compression.ts';
import type { Plugin, PluginFiles } from './plugin-files.ts';

/** Fastify's own mark of a plugin whose hooks count for whoever registers it instead of for itself alone. */
const SHARED_SCOPE = Symbol.for('skip-override');

/** Registers the plugins of a route, in order, so that their hooks see the requests of that route. */
export async function registerPlugins(
  scope: FastifyInstance,
  plugins: readonly PluginSettings[],
  files: Pick<PluginFiles, 'load'>,
): Promise<void> {
  for (const settings of plugins) {
    const { name, file } = settings;
    try {
      const plugin = file === undefined ? builtIn(settings) : share(await files.load(file));
      await scope.register(plugin, settings.options);
    } catch (error) {
      throw new Error(`plugin ${name}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

function builtIn(settings: PluginSettings): Plugin {
  const read = builtInPlugin(settings);
  if ('message' in read) throw new Error(`${read.key}: ${read.message}`);
  return share(async (scope: FastifyInstance) => compression(scope, read));
}

/** Without the mark a plugin would be alone in its own scope and its hooks would never see a request. */
function share(plugin: Plugin): Plugin {
  return Object.assign(plugin, { [SHARED_SCOPE]: true });
}
