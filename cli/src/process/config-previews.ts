import { isDeepStrictEqual } from 'node:util';
import type { ConfigPreviews } from '@usher/admin';
import { ConfigError, formatFault, sharedHash, type UsherConfig } from '@usher/config';
import type { ServiceContext } from '@usher/ports';
import { previewConfig, previewWhole } from '@usher/scheduler';
import { restartKeys } from './restart-keys.ts';

/**
 * Tells what a text would change if it were in the process's file, which `read` reads as that, and what settings would if they were
 * applied; `current` is what the process goes by, which may be something else than it was started with.
 */
export function configPreviews(
  started: UsherConfig,
  current: () => UsherConfig,
  read: (text: string) => Promise<UsherConfig>,
  { fleet, clock }: Pick<ServiceContext, 'fleet' | 'clock'>,
): ConfigPreviews {
  return {
    async text(text) {
      let next: UsherConfig;
      try {
        next = await read(text);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return { preview: null, faults: error.faults.map(formatFault) };
      }
      const { local, shared } = next;
      const preview = {
        changes: previewConfig(fleet.state, { shared, hash: sharedHash(shared) }, clock.now()),
        listeners: !isDeepStrictEqual(local.listen, current().local.listen),
        restart: restartKeys(started.local, local),
      };
      return { preview, faults: [] };
    },
    settings: (wanted) => previewWhole(fleet.state, wanted, clock.now()),
  };
}
