import type { UsherConfig } from '@usher/config';
import { FileWatch, onReloadSignal, onStopSignals } from '@usher/runtime';
import { CONFIG_OPTIONS, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK, type Io, UsageError } from '../io.ts';
import { ConfigFollower } from '../process/config-follower.ts';
import { type Demo, startDemo } from '../process/demo.ts';
import { type Running, runServices, SERVICE_NAMES, type ServiceName } from '../process/run-services.ts';
import { configFile, readConfig } from '../read-config.ts';

/** Runs the system until it is told to stop. */
export const run: CliCommand = {
  usage: 'run [--config FILE] [--only SERVICE,…] [--workers N] [--set KEY=VALUE]…',
  async run(args, io) {
    const { values, positionals } = parse(args, {
      ...CONFIG_OPTIONS,
      only: { type: 'string', multiple: true },
      workers: { type: 'string' },
    });
    if (positionals.length > 0) throw new UsageError(`unexpected argument: ${positionals.join(' ')}`);
    const names = serviceNames(values.only);
    const set = [
      ...(values.set ?? []),
      ...(values.workers === undefined ? [] : [`workers=${values.workers}`]),
    ];
    const file = configFile(values.config, io);
    const demo = file === undefined ? await startDemo() : undefined;
    const read = () => readConfig({ config: file, set }, io, demo?.yaml);
    try {
      await serve({ names, demo, file, read }, io);
    } finally {
      demo?.stop();
    }
    return EXIT_OK;
  },
};

interface Task {
  readonly names: readonly ServiceName[];
  readonly demo: Demo | undefined;
  /** Undefined in a demo. */
  readonly file: string | undefined;
  readonly read: () => Promise<UsherConfig>;
}

async function serve({ names, demo, file, read }: Task, io: Io): Promise<void> {
  const config = await read();
  const stopped = new Promise<string>((resolve) => onStopSignals(resolve));
  const running = await runServices(config, names);
  const { log } = running.core;
  log.info('ready', {
    services: names.join(','),
    traffic: running.addresses.join(' '),
    admin: running.admin,
    metrics: running.metrics,
  });
  if (demo !== undefined) greet(demo, running, io);
  const unfollow = file === undefined ? undefined : follow(file, config, running, read);
  log.info('stopping', { signal: await stopped });
  unfollow?.();
  await running.stop();
}

/** Has the process go by its file whenever that changes, or when somebody says so. Answers with what ends that. */
function follow(
  file: string,
  config: UsherConfig,
  { apply, core }: Running,
  read: () => Promise<UsherConfig>,
): () => void {
  const { log, context } = core;
  const follower = new ConfigFollower({ config, log, read, apply });
  const look = () => void follower.look();
  const watch = new FileWatch([file], context.clock, log, look);
  const ignore = onReloadSignal(look);
  return () => {
    watch.stop();
    ignore();
  };
}

function greet(demo: Demo, { addresses, admin, metrics }: Running, io: Io): void {
  const port = addresses[0]?.split(':').at(-1) ?? '';
  const victim = demo.backends[0];
  const lines = [
    '',
    `  Usher balances http://localhost:${port} over ${demo.backends.length} demo backends. Try:`,
    '',
    `    curl localhost:${port}                     answered by each in turn`,
    '    bin/usher backends                      what the fleet believes',
    `    kill -9 ${String(victim?.pid()).padEnd(8)}                        ${victim?.id} leaves, comes back after two seconds, and no request fails`,
    '    bin/usher drain demo-2                  no new requests for it; enable takes it back',
    '    bin/usher events                        every change, in order',
    '    bin/usher replay --digest               the same state, from the log alone',
    '',
    `  Admin API ${admin ?? 'off'} · metrics ${metrics ?? 'off'}/metrics · stop with Ctrl-C`,
    '',
  ];
  for (const line of lines) io.out(line);
}

function serviceNames(only: readonly string[] | undefined): readonly ServiceName[] {
  if (only === undefined) return SERVICE_NAMES;
  const asked = only.flatMap((list) => list.split(',')).map((name) => name.trim());
  for (const name of asked) {
    if (!(SERVICE_NAMES as readonly string[]).includes(name)) {
      throw new UsageError(`--only: there is no service ${name}; there are ${SERVICE_NAMES.join(', ')}`);
    }
  }
  return SERVICE_NAMES.filter((name) => asked.includes(name));
}
