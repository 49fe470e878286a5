import type { CommandName } from '@usher/events';

/** A route that is short for one command. */
export interface ShortCommand {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly command: CommandName;
  /**
   * What becomes of the body: `rest`, all of the command's data but the member `named`, which the path's `:id` is; or
   * `settings`, that member alone.
   */
  readonly body: { readonly rest: string } | 'settings';
  /** As in RouteDoc. */
  readonly name: string;
  readonly summary: string;
}

const ONE_BACKEND = '/v1/backends/:id';

export const SHORT_COMMANDS: readonly ShortCommand[] = [
  {
    method: 'POST',
    url: '/v1/backends',
    command: 'backend.add',
    body: 'settings',
    name: 'addBackend',
    summary: 'Add a backend to a pool',
  },
  {
    method: 'PATCH',
    url: ONE_BACKEND,
    command: 'backend.update',
    body: { rest: 'backend' },
    name: 'updateBackend',
    summary: 'Change the settings of a backend; what is absent stays as it is',
  },
  {
    method: 'DELETE',
    url: ONE_BACKEND,
    command: 'backend.remove',
    body: { rest: 'backend' },
    name: 'removeBackend',
    summary: 'Drain a backend and take it away',
  },
  {
    method: 'POST',
    url: `${ONE_BACKEND}/drain`,
    command: 'backend.drain',
    body: { rest: 'backend' },
    name: 'drainBackend',
    summary: 'Give a backend no new requests and let it finish what it has',
  },
  {
    method: 'POST',
    url: `${ONE_BACKEND}/enable`,
    command: 'backend.enable',
    body: { rest: 'backend' },
    name: 'enableBackend',
    summary: 'Take a drained or disabled backend back',
  },
  {
    method: 'POST',
    url: `${ONE_BACKEND}/disable`,
    command: 'backend.disable',
    body: { rest: 'backend' },
    name: 'disableBackend',
    summary: 'Give a backend no new requests',
  },
  {
    method: 'POST',
    url: '/v1/pools/:id/strategy',
    command: 'pool.set_strategy',
    body: { rest: 'pool' },
    name: 'setStrategy',
    summary: 'Set how a pool chooses among its backends',
  },
];
