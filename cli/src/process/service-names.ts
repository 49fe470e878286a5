import { UsageError } from '../io.ts';

const SERVICE_NAMES = ['gateway', 'scheduler', 'health', 'collector'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The services that `--only` names, separated by commas or given several times; without it all. Throws UsageError for another. */
export function serviceNames(only: readonly string[]): readonly ServiceName[] {
  if (only.length === 0) return SERVICE_NAMES;
  const asked = only.flatMap((list) => list.split(',')).map((name) => name.trim());
  for (const name of asked) {
    if (!(SERVICE_NAMES as readonly string[]).includes(name)) {
      throw new UsageError(`--only: there is no service ${name}; there are ${SERVICE_NAMES.join(', ')}`);
    }
  }
  return SERVICE_NAMES.filter((name) => asked.includes(name));
}
