import { AdminClient } from '../admin-client.ts';
import { wholeOption } from '../arguments.ts';
import { type ChangeArguments, change, changeWith } from '../change.ts';
import { type Io, type Run, UsageError } from '../io.ts';
import { settingsOf } from '../settings-of.ts';
import type * as verbs from '../verbs/settings.ts';

export const breakersReset: Run<typeof verbs.breakersReset> = async (given, io) =>
  await change('breaker.reset', { backend: given.arguments.ID }, given.options, io);

export const stickyClear: Run<typeof verbs.stickyClear> = async ({ arguments: { POOL }, options }, io) => {
  const { session, client } = options;
  return await change('sticky.clear', { pool: POOL, session, client }, options, io);
};

export const allocationsPurge: Run<typeof verbs.allocationsPurge> = async (given, io) => {
  const { backend: ofBackend, session, client } = given.options;
  return await change(
    'allocations.purge',
    { pool: given.arguments.POOL, ofBackend, session, client },
    given.options,
    io,
  );
};

export const poolsAdd: Run<typeof verbs.poolsAdd> = async ({ arguments: { POOL }, options }, io) => {
  const { defaultPool } = await import('@usher/domain');
  const settings = { ...settingsOf(options.setting, defaultPool(POOL)), id: POOL };
  return await changeWith('pool.add', { settings }, options, io);
};

export const poolsUpdate: Run<typeof verbs.poolsUpdate> = async ({ arguments: { POOL }, options }, io) => {
  const client = await AdminClient.find(options, io);
  const seen = await client.get<Seen>(`/v1/pools/${encodeURIComponent(POOL)}`, 'revision');
  const data = { pool: POOL, ...settingsOf(options.setting, seen) };
  return await changeWith('pool.update', data, basedOn(seen, options), io);
};

export const poolsRemove: Run<typeof verbs.poolsRemove> = async (given, io) =>
  await change('pool.remove', { pool: given.arguments.POOL }, given.options, io);

export const poolsTiers: Run<typeof verbs.poolsTiers> = async ({ arguments: given, options }, io) => {
  const { tiers } = settingsOf([`tiers=${given.TIERS}`], {});
  return await changeWith('pool.set_tiers', { pool: given.POOL, tiers }, options, io);
};

export const routesAdd: Run<typeof verbs.routesAdd> = async ({ arguments: { ROUTE }, options }, io) => {
  const { path, pool, host } = options;
  const settings = { ...settingsOf(options.setting, {}), id: ROUTE, path, pool, host };
  return await changeWith('route.add', { settings }, options, io);
};

export const routesUpdate: Run<typeof verbs.routesUpdate> = async ({ arguments: { ROUTE }, options }, io) => {
  const seen = await configOf(options, io);
  const route = seen.config?.routes.find(({ id }) => id === ROUTE) ?? {};
  const data = { route: ROUTE, ...settingsOf(options.setting, route) };
  return await changeWith('route.update', data, basedOn(seen, options), io);
};

export const routesRemove: Run<typeof verbs.routesRemove> = async (given, io) =>
  await change('route.remove', { route: given.arguments.ROUTE }, given.options, io);

export const limits: Run<typeof verbs.limits> = async ({ options }, io) => {
  if (options.setting.length === 0) throw new UsageError('name a limit with --setting KEY=VALUE');
  return await changeWith('limits.update', settingsOf(options.setting, {}), options, io);
};

export const configRevert: Run<typeof verbs.configRevert> = async (given, io) => {
  const to = wholeOption('POSITION', given.arguments.POSITION) ?? 0;
  return await change('config.revert', { to }, given.options, io);
};

interface Seen {
  readonly revision: number;
}

interface SeenConfig extends Seen {
  readonly config: { readonly routes: readonly { readonly id: string }[] } | null;
}

async function configOf(options: ChangeArguments, io: Io): Promise<SeenConfig> {
  const client = await AdminClient.find(options, io);
  return await client.get<SeenConfig>('/v1/config', 'revision');
}

/** Part of a setting may be changed, and the rest of it has to be what was read. */
function basedOn<A extends ChangeArguments>({ revision }: Seen, options: A): A {
  return { ...options, 'if-revision': options['if-revision'] ?? String(revision) };
}
