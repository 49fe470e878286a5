import type { Io, Run } from './io.ts';
import * as fleet from './verbs/fleet.ts';
import * as offline from './verbs/offline.ts';
import { readArguments } from './verbs/read-arguments.ts';
import * as running from './verbs/running.ts';
import * as settings from './verbs/settings.ts';
import type { Verb } from './verbs/verb.ts';

/** A verb and what does it. */
export interface Command {
  readonly verb: Verb;
  /** Reads the arguments, then loads and runs. Resolves with the exit code. Throws as `Run` does. */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** What does a verb is loaded when it is called: `usher status` shall not wait for the gateway's code. */
function command<V extends Verb>(verb: V, load: () => Promise<Run<V>>): Command {
  return {
    verb,
    async run(args, io) {
      const given = readArguments(verb, args);
      const run = await load();
      return await run(given, io);
    },
  };
}

const backends = () => import('./commands/backends.ts');
const events = () => import('./commands/events.ts');
const pools = () => import('./commands/pools.ts');
const setting = () => import('./commands/settings.ts');
const config = () => import('./commands/config.ts');

/** Every command there is, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  command(running.run, async () => (await import('./commands/run.ts')).run),
  command(offline.init, async () => (await import('./commands/init.ts')).init),
  command(offline.generateConfig, async () => (await import('./commands/generate-config.ts')).generateConfig),
  command(offline.check, async () => (await import('./commands/check.ts')).check),
  command(offline.doctor, async () => (await import('./commands/doctor.ts')).doctor),
  command(offline.importConfig, async () => (await import('./commands/import.ts')).importConfig),
  command(offline.schema, async () => (await import('./commands/schema.ts')).schema),
  command(offline.tokenCreate, async () => (await import('./commands/token.ts')).tokenCreate),
  command(offline.completion, async () =>
    (await import('./commands/completion.ts')).completionOf(COMMANDS.map(({ verb }) => verb)),
  ),
  command(offline.version, async () => (await import('./commands/version.ts')).version),
  command(fleet.status, async () => (await import('./commands/status.ts')).status),
  command(fleet.backends, async () => (await backends()).backends),
  command(fleet.backendsAdd, async () => (await backends()).backendsAdd),
  command(fleet.backendsUpdate, async () => (await backends()).backendsUpdate),
  command(fleet.backendsRemove, async () => (await backends()).backendsRemove),
  command(fleet.drain, async () => (await backends()).drain),
  command(fleet.enable, async () => (await backends()).enable),
  command(fleet.disable, async () => (await backends()).disable),
  command(fleet.weight, async () => (await backends()).weight),
  command(fleet.breakers, async () => (await import('./commands/breakers.ts')).breakers),
  command(settings.breakersReset, async () => (await setting()).breakersReset),
  command(settings.allocationsPurge, async () => (await setting()).allocationsPurge),
  command(settings.stickyClear, async () => (await setting()).stickyClear),
  command(fleet.pools, async () => (await pools()).pools),
  command(fleet.poolsStrategy, async () => (await pools()).poolsStrategy),
  command(settings.poolsAdd, async () => (await setting()).poolsAdd),
  command(settings.poolsUpdate, async () => (await setting()).poolsUpdate),
  command(settings.poolsRemove, async () => (await setting()).poolsRemove),
  command(settings.poolsTiers, async () => (await setting()).poolsTiers),
  command(fleet.routes, async () => (await import('./commands/routes.ts')).routes),
  command(settings.routesAdd, async () => (await setting()).routesAdd),
  command(settings.routesUpdate, async () => (await setting()).routesUpdate),
  command(settings.routesRemove, async () => (await setting()).routesRemove),
  command(settings.limits, async () => (await setting()).limits),
  command(settings.config, async () => (await config()).config),
  command(settings.configDiff, async () => (await config()).configDiff),
  command(settings.configApply, async () => (await config()).configApply),
  command(settings.configRevert, async () => (await setting()).configRevert),
  command(fleet.routeExplain, async () => (await import('./commands/route.ts')).routeExplain),
  command(fleet.events, async () => (await events()).events),
  command(fleet.eventsTail, async () => (await events()).eventsTail),
  command(fleet.eventsExport, async () => (await events()).eventsExport),
  command(offline.replay, async () => (await import('./commands/replay.ts')).replay),
  command(offline.auditReservations, async () => (await import('./commands/audit.ts')).auditReservations),
  command(running.agent, async () => (await import('./commands/agent.ts')).agent),
  command(running.demoBackend, async () => (await import('./commands/demo-backend.ts')).demoBackend),
];
