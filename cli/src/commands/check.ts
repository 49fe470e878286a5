import { explainConfig } from '@usher/config';
import { CONFIG_OPTIONS, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK, UsageError } from '../io.ts';
import { configFile, readConfig } from '../read-config.ts';
import { table } from '../table.ts';

/** Says whether a configuration would be accepted; faults are ConfigError's to report. */
export const check: CliCommand = {
  usage: 'check [FILE] [--set KEY=VALUE]… [--explain] [--json]',
  async run(args, io) {
    const { values, positionals } = parse(args, {
      ...CONFIG_OPTIONS,
      explain: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    if (positionals.length > 1)
      throw new UsageError(`unexpected argument: ${positionals.slice(1).join(' ')}`);
    const file = configFile(positionals[0] ?? values.config, io);
    if (file === undefined) throw new UsageError('name the file to check');
    const config = await readConfig({ config: file, set: values.set }, io);
    const { shared } = config;
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
    if (values.json === true) io.out(JSON.stringify({ ok: true, file, ...counts }));
    else io.out(`${file}: ok (pools ${counts.pools}, backends ${counts.backends}, routes ${counts.routes})`);
    return EXIT_OK;
  },
};
