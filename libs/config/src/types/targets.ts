import type { TargetSettings } from '@usher/domain';
import { list, mapped } from './collections.ts';
import { parseRouteHost } from './names.ts';
import { parseNetwork } from './network.ts';
import { text } from './scalar.ts';
import type { Type } from './type.ts';

const target: Type<string> = text({
  expects: 'a network such as 10.0.0.0/8, or a host such as gpu.example.com or *.example.com',
  standIn: '10.0.0.0/8',
  parse: (written) => (isNetwork(written) ? parseNetwork(written) : parseRouteHost(written)),
});

/** Where backends may be: networks and hosts. */
export const targets: Type<TargetSettings> = mapped(
  list(target, { min: 1 }),
  (written) => ({
    networks: written.filter(isNetwork),
    names: written.filter((each) => !isNetwork(each)),
  }),
  ({ networks, names }) => [...networks, ...names],
);

function isNetwork(written: string): boolean {
  return written.includes('/') || written.includes(':') || /^[0-9.]+$/.test(written);
}
