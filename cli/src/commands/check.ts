import { ConfigError, explainConfig, translationOf, type UsherConfig } from '@usher/config';
import { checkAgainstRunning } from '../against-running.ts';
import { EXIT_OK, EXIT_USAGE, type Run, UsageError } from '../io.ts';
import { configFile, readConfig } from '../read-config.ts';
import { table } from '../table.ts';
import { tellTranslation } from '../tell-translation.ts';
import type * as verbs from '../verbs/offline.ts';

/** Says whether a configuration would be accepted; faults are ConfigError's to report. */
export const check: Run<typeof verbs.check> = async ({ options, arguments: { FILE }, behind }, io) => {
  const file = configFile(FILE ?? options.config, io);
  if (file === undefined) throw new UsageError('name the file to check');
  let config: UsherConfig;
  try {
    config = await readConfig({ ...options, config: file, flags: behind }, io);
  } catch (error) {
    if (!(error instanceof ConfigError) || !options.json) throw error;
    io.out(JSON.stringify({ ok: false, file, faults: error.faults }));
    return EXIT_USAGE;
  }
  if (options.against !== undefined) {
    if (options.against !== 'running') throw new UsageError('--against takes running');
    if (!options.json) tellTranslation(config, io);
    return await checkAgainstRunning(file, { ...options, config: file, flags: behind }, io);
  }
  const { shared } = config;
  const { format, notes } = translationOf(config) ?? {};
  if (!options.json) tellTranslation(config, io);
  if (options.explain) {
    const rows = explainConfig(config).map(({ path, value, origin }) => [path, value, origin]);
    for (const line of table(['KEY', 'VALUE', 'FROM'], rows)) io.out(line);
    return EXIT_OK;
  }
  const counts = {
    pools: shared.pools.length,
    backends: shared.backends.length,
    routes: shared.routes.length,
  };
  if (options.json) io.out(JSON.stringify({ ok: true, file, ...counts, format, notes }));
  else io.out(`${file}: ok (pools ${counts.pools}, backends ${counts.backends}, routes ${counts.routes})`);
  return EXIT_OK;
};
