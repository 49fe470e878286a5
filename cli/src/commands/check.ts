import { ConfigError, explainConfig, translationOf, type UsherConfig } from '@usher/config';
import { CONFIG_OPTIONS, parseMixed, splitAtDashes } from '../arguments.ts';
import { type CliCommand, EXIT_OK, EXIT_USAGE, UsageError } from '../io.ts';
import { configFile, readConfig } from '../read-config.ts';
import { table } from '../table.ts';
import { tellTranslation } from '../tell-translation.ts';

/** Says whether a configuration would be accepted; faults are ConfigError's to report. */
export const check: CliCommand = {
  usage: 'check [FILE [--format NAME]] [--set KEY=VALUE]… [--explain] [--json] [-- FLAG…]',
  async run(args, io) {
    const [own, flags] = splitAtDashes(args);
    const { values, positionals } = parseMixed(own, {
      ...CONFIG_OPTIONS,
      explain: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    if (positionals.length > 1)
      throw new UsageError(`unexpected argument: ${positionals.slice(1).join(' ')}`);
    const file = configFile(positionals[0] ?? values.config, io);
    if (file === undefined) throw new UsageError('name the file to check');
    let config: UsherConfig;
    try {
      config = await readConfig({ config: file, set: values.set, format: values.format, flags }, io);
    } catch (error) {
      if (!(error instanceof ConfigError) || values.json !== true) throw error;
      io.out(JSON.stringify({ ok: false, file, faults: error.faults }));
      return EXIT_USAGE;
    }
    const { shared } = config;
    const { format, notes } = translationOf(config) ?? {};
    if (values.json !== true) tellTranslation(config, io);
    if (values.explain === true) {
      const rows = explainConfig(config).map(({ path, value, origin }) => [path, value, origin]);
      for (const line of table(['KEY', 'VALUE', 'FROM'], rows)) io.out(line);
      return EXIT_OK;
    }
    const counts = {
      pools: shared.pools.length,
      backends: shared.backends.length,
      routes: shared.routes.length,
    };
    if (values.json === true) io.out(JSON.stringify({ ok: true, file, ...counts, format, notes }));
    else io.out(`${file}: ok (pools ${counts.pools}, backends ${counts.backends}, routes ${counts.routes})`);
    return EXIT_OK;
  },
};
