import type { Reading } from '../reading.ts';
import type { UsherConfig } from '../settings.ts';
import { moduleFaults } from './module-faults.ts';

/** Finds plugins whose modules cannot be loaded. Without `run` none of their code is run. */
export async function checkPlugins(config: UsherConfig, reading: Reading, run: boolean): Promise<void> {
  const { disk } = reading.surroundings;
  const plugins = config.shared.routes.flatMap((route) => route.plugins);
  const files = plugins.flatMap(({ file }) => file ?? []).filter((file) => disk.isFile(file));
  const faults = await moduleFaults({ files: [...new Set(files)], run });
  for (const plugin of plugins) {
    const fault = faults.get(plugin.file ?? '');
    if (fault !== undefined) reading.complain(plugin, 'file', `${fault}: ${plugin.file}`);
  }
}
