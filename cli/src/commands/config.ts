import type { SharedSettings } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { checkApplied } from '../against-running.ts';
import { change } from '../change.ts';
import { EXIT_OK, type Io, type Run } from '../io.ts';
import { readConfig } from '../read-config.ts';
import type * as verbs from '../verbs/settings.ts';

interface Running {
  readonly revision: number;
  readonly config: SharedSettings | null;
}

export const config: Run<typeof verbs.config> = async ({ options }, io) => {
  const client = await AdminClient.find(options, io);
  const { revision, config: shared } = await client.get<Running>('/v1/config', 'revision');
  const shown = { revision, config: shared };
  io.out(options.json ? JSON.stringify(shown) : JSON.stringify(shown, null, 2));
  return EXIT_OK;
};

export const configDiff: Run<typeof verbs.configDiff> = async ({ arguments: { FILE }, options }, io) =>
  await checkApplied(await sharedOf(FILE, io), options, io);

export const configApply: Run<typeof verbs.configApply> = async ({ arguments: { FILE }, options }, io) =>
  await change('config.apply', { config: await sharedOf(FILE, io) }, options, io);

async function sharedOf(file: string, io: Io): Promise<SharedSettings> {
  const { shared } = await readConfig({ config: file, set: [], format: undefined }, io);
  return shared;
}
