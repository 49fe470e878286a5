import type { HeliosSettings } from '../settings.ts';
import { mapped } from '../types/collections.ts';
import { id } from '../types/names.ts';
import { listenAddress } from '../types/network.ts';
import { required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';

/** The admin API of Helios. Address and the rest become one level. */
export const helios: Type<HeliosSettings> = mapped(
  section({
    address: required({ to: 'address', type: listenAddress, doc: 'Where it listens.' }),
    pool: required({
      to: 'pool',
      type: id,
      doc: 'The pool that it lists, adds to, removes from and sets the strategy of.',
    }),
  }),
  ({ address, pool }): HeliosSettings => ({ ...address, pool }),
);
