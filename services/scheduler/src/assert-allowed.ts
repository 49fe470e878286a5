import { settingFaults } from '@usher/config';
import {
  canonicalJson,
  configFaults,
  fileWords,
  type PoolSettings,
  type SharedSettings,
  type TargetSettings,
  UsherError,
} from '@usher/domain';
import { isElsewhere } from './decide-config.ts';
import { forbiddenUrl } from './targets.ts';

/** Refuses what a file could not say, what does not fit together, and what a command may not bring in. */
export function assertSound(before: SharedSettings, after: SharedSettings): void {
  const old = new Set(configFaults(before));
  const faults = configFaults(after).filter((fault) => !old.has(fault));
  if (faults.length > 0) throw new UsherError('invalid_input', faults.join('; '));
  // What a command may not say at all is no matter of its words.
  assertAllowed(before, after);
  const unsayable = settingFaults(before, after);
  if (unsayable.length > 0) throw new UsherError('invalid_input', unsayable.join('; '));
}

/**
 * Refuses what only a file may say: whoever may operate the fleet may not run programs on its machines, have them read files,
 * or send requests where nobody should.
 */
export function assertAllowed(before: SharedSettings, after: SharedSettings): void {
  const known = fileWords(before);
  const strange = [...fileWords(after)].filter(([key]) => !known.has(key)).map(([, at]) => at);
  const faults = [...strange, ...targetFaults(before, after)];
  if (faults.length > 0)
    throw new UsherError('forbidden', `only the file of a process may say this: ${faults.join('; ')}`);
  const astray = strayBackends(before, after);
  if (astray.length > 0)
    throw new UsherError(
      'forbidden',
      `backends of commands may not be there, by the \`targets\` of their pools: ${astray.join('; ')}`,
    );
}

/**
 * Where the backends of a pool may be that a command brings in: wherever those of some pool may be already. So a file that
 * says it for all its pools says it for every pool.
 */
export function inheritedTargets(pools: readonly PoolSettings[]): TargetSettings | undefined {
  const said = pools.map(({ targets }) => targets).filter((targets) => targets !== undefined);
  if (said.length < pools.length || said.length === 0) return undefined;
  const all = (key: keyof TargetSettings) => [...new Set(said.flatMap((targets) => targets[key]))].toSorted();
  return { networks: all('networks'), names: all('names') };
}

function targetFaults({ pools: before }: SharedSettings, { pools: after }: SharedSettings): string[] {
  const inherited = inheritedTargets(before);
  if (inherited !== undefined && after.length === 0)
    return ['that no pool has `targets` any more, which the last one takes with it'];
  return after.flatMap(({ id, targets }) => {
    const known = before.find((pool) => pool.id === id);
    const given = known === undefined ? inherited : known.targets;
    return canonicalJson({ targets: given }) === canonicalJson({ targets }) ? [] : [`pools.${id}.targets`];
  });
}

function strayBackends(before: SharedSettings, after: SharedSettings): string[] {
  return after.backends.flatMap((backend) => {
    const known = before.backends.find(({ id }) => id === backend.id);
    const stays = known !== undefined && known.pool === backend.pool && !isElsewhere(known, backend);
    const pool = after.pools.find(({ id }) => id === backend.pool);
    if (stays || pool === undefined) return [];
    const url = forbiddenUrl(backend, pool);
    return url === undefined ? [] : [`backends.${backend.id} at ${url}`];
  });
}
