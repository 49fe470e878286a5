import { setTimeout as sleep } from 'node:timers/promises';
import type { UsherConfig } from '@usher/config';
import {
  notifySupervisor,
  onReloadSignal,
  onRestartSignal,
  onStopSignals,
  type StopSignal,
} from '@usher/runtime';
import { EXIT_OK, type Io, type Run } from '../io.ts';
import { ConfigFollower } from '../process/config-follower.ts';
import { ConfigWatch } from '../process/config-watch.ts';
import { type Demo, startDemo } from '../process/demo.ts';
import { Predecessor } from '../process/predecessor.ts';
import { type Running, runServices } from '../process/run-services.ts';
import { type ServiceName, serviceNames } from '../process/service-names.ts';
import { Succession } from '../process/succession.ts';
import { configFile, readConfig } from '../read-config.ts';
import { tellTranslation } from '../tell-translation.ts';
import type * as verbs from '../verbs/running.ts';

/** How long a start that is to be stopped may take to get where it can be. */
const START_END_MAX_MS = 3_000;

/** Runs the system until it is told to stop. */
export const run: Run<typeof verbs.run> = async ({ options, behind }, io) => {
  const names = serviceNames(options.only);
  const set = [...options.set, ...(options.workers === undefined ? [] : [`workers=${options.workers}`])];
  const file = configFile(options.config, io);
  const predecessor = await Predecessor.meet(io.env);
  const demo = file === undefined ? await startDemo() : undefined;
  const read: Task['read'] = (text, again = false) => {
    // What the file names is run by the gateway in any case; what somebody else's text names is not.
    const runPlugins = again && text === undefined;
    const told = { config: file, set, format: options.format, flags: behind, notEmpty: again, runPlugins };
    return readConfig(told, io, text ?? demo?.yaml);
  };
  try {
    await serve({ names, demo, file, read, predecessor }, io);
  } finally {
    demo?.stop();
  }
  return EXIT_OK;
};

interface Task {
  readonly names: readonly ServiceName[];
  readonly demo: Demo | undefined;
  /** Undefined in a demo. */
  readonly file: string | undefined;
  /** With a text, what it would be with that in the file. `again`: while it runs with another one. */
  readonly read: (text?: string, again?: boolean) => Promise<UsherConfig>;
  readonly predecessor: Predecessor | undefined;
}

async function serve(task: Task, io: Io): Promise<void> {
  const { names, demo, file, read, predecessor } = task;
  const config = await read();
  const readAgain = (text?: string) => read(text, true);
  tellTranslation(config, io);
  const { promise: stopped, resolve } = Promise.withResolvers<StopSignal>();
  const unlisten = onStopSignals(resolve);
  let succession: Succession | undefined;
  const deaf = onRestartSignal(() => {
    if (succession === undefined) io.err('usher: SIGUSR2: this cannot be restarted now; nothing has changed');
    else void succession.begin();
  });
  try {
    const starting = runServices(config, names, { env: io.env, read: readAgain, predecessor });
    const running = await Promise.race([starting, stopped]);
    if (typeof running === 'string') {
      io.err(`usher: ${running} while starting: stopping`);
      await endStart(starting);
      return;
    }
    announce(running, names, demo, io);
    const unfollow = file === undefined ? undefined : follow(file, config, running, readAgain);
    // The backends of a demo end with the process.
    if (demo === undefined) succession = successionOf(running, io);
    const outcome = await (succession === undefined ? stopped : Promise.race([stopped, succession.done]));
    unfollow?.();
    if (typeof outcome === 'function') await running.cede(outcome);
    else await stop(running, outcome, succession);
    succession?.part();
  } finally {
    // From here on a signal ends the process by itself, whatever has been left behind.
    unlisten();
    deaf();
  }
}

function successionOf(running: Running, { env, commandLine }: Io): Succession {
  const { log, context } = running.core;
  const gateway = running.gatewayName;
  const releaseLog = () => running.releaseLog();
  return new Succession({ env, commandLine, gateway, log, clock: context.clock, releaseLog });
}

async function stop(running: Running, signal: StopSignal, succession: Succession | undefined): Promise<void> {
  running.core.log.info('stopping', { signal });
  succession?.stop();
  // Whoever sits before it and presses Ctrl-C sends it no traffic any more.
  await running.stop({ leave: signal === 'SIGTERM' });
}

/** Stops what is still starting as soon as it has started or failed, but does not wait long for that. */
async function endStart(starting: Promise<Running>): Promise<void> {
  const ended = starting.then(
    (running) => running.stop(),
    () => {},
  );
  await Promise.race([ended, sleep(START_END_MAX_MS, undefined, { ref: false })]);
}

function announce(running: Running, names: readonly ServiceName[], demo: Demo | undefined, io: Io): void {
  running.core.log.info('ready', {
    services: names.join(','),
    traffic: running.addresses.join(' '),
    admin: running.admin,
    metrics: running.metrics,
  });
  notifySupervisor(io.env['NOTIFY_SOCKET'], running.core.log);
  if (demo !== undefined) greet(demo, running, io);
}

/** Has the process go by its file whenever that changes, or when somebody says so. Answers with what ends that. */
function follow(
  file: string,
  config: UsherConfig,
  { apply, core, configHealth: health }: Running,
  read: () => Promise<UsherConfig>,
): () => void {
  const { log, context } = core;
  const look = () => void follower.look();
  const watch = new ConfigWatch(file, context.clock, log, look);
  watch.follow(config);
  const readOn = async () => {
    const next = await read();
    watch.follow(next);
    return next;
  };
  const follower = new ConfigFollower({ config, log, health, read: readOn, apply });
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
