import { dirname } from 'node:path';
import { type BackendSettings, discoveredId, parseBackendUrl } from '@usher/domain';
import { checkUnique } from './checks.ts';
import { ConfigError } from './fault.ts';
import { realDisk } from './input/disk.ts';
import { parseYaml } from './input/yaml.ts';
import { backend } from './keys/backend.ts';
import { placeIn, readText } from './load.ts';
import { Reading } from './reading.ts';
import { list } from './types/collections.ts';

const backends = list(backend);

/** The backends that a file of its own declares for a pool. Throws ConfigError with all that is wrong with the file. */
export async function readBackendsFile(file: string, pool: string): Promise<readonly BackendSettings[]> {
  return parseBackends(await readText(file), file, pool);
}

/** The pure part of it. */
export function parseBackends(text: string, file: string, pool: string): readonly BackendSettings[] {
  const parsed = parseYaml(text, placeIn(file));
  if (parsed.root === undefined) throw new ConfigError(parsed.faults);
  const surroundings = { env: {}, folder: dirname(file), disk: realDisk, hostname: '' };
  const reading = new Reading(surroundings, parsed.faults);
  const settings = backends.read(parsed.root, '', reading).map((declared): BackendSettings => {
    const id = declared.id ?? idOf(pool, declared.url);
    return reading.remember({ ...declared, id, pool }, reading.pathOf(declared));
  });
  checkUnique(settings, ['id'], ({ id }) => id, reading);
  for (const { endpoints = [] } of settings) checkUnique(endpoints, ['path'], ({ path }) => path, reading);
  if (reading.faults.length > 0) throw new ConfigError(reading.faults);
  return settings;
}

/** Not by the place in the list, which would move to another backend when one before it goes. */
function idOf(pool: string, url: string): string {
  const origin = parseBackendUrl(url);
  return typeof origin === 'string' ? pool : discoveredId(pool, origin.host, origin.port);
}
