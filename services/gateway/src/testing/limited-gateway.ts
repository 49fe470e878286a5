import type { Agent, RequestListener } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http2';
import type { PolicySettings, PoolSettings, RouteSettings } from '@usher/domain';
import type { ServiceContext } from '@usher/ports';
import { Client } from '../h2/testing/client.ts';
import { type Gateway, type GatewaySettings, startGateway } from '../index.ts';
import { policy, pool, route } from './fixtures.ts';
import { backendAt, TestFleet } from './fleet.ts';
import { type Answer, ask, type Backend, startBackend } from './http.ts';

/** The ways of a request through a gateway. */
export const LANES = ['wire', 'plugin', 'HTTP/2', 'HTTP/2 and plugin'] as const;
export type LaneName = (typeof LANES)[number];

export interface Wanted {
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly method?: string;
  readonly body?: string;
  readonly agent?: Agent;
}

/** A route with and without plugins for each of these; the former under `/zip`. */
export function bothLanes(...settings: readonly Partial<RouteSettings>[]): RouteSettings[] {
  return settings.flatMap((each) => {
    const { id = 'all', path = '/*', ...rest } = each;
    const gzip = [{ name: 'gzip', options: {} }];
    return [
      route({ id: `zip-${id}`, path: `/zip${path}`, pool: 'web', plugins: gzip, ...rest }),
      route({ id, path, pool: 'web', ...rest }),
    ];
  });
}

const echo: RequestListener = (request, response) => request.pipe(response);

/** Gateways of one fleet with one backend, which echoes bodies. */
export class LimitedFleet {
  readonly fleet = new TestFleet();
  readonly gateways: Pick<Gateway, 'fault' | 'addresses'>[] = [];
  readonly #closing: (() => unknown)[] = [];
  readonly #sessions = new Map<number, Client>();
  backend: Backend | undefined;

  async configure(
    changes: Partial<PolicySettings>,
    settings: Partial<PoolSettings> = {},
    handle: RequestListener = echo,
  ): Promise<void> {
    this.backend ??= await startBackend('b1', handle);
    await this.fleet.configure([backendAt('b1', this.backend.url)], { pools: [pool(settings)], ...changes });
  }

  /** Starts one more; answers with its port. */
  async gateway(
    settings: Partial<GatewaySettings> = {},
    changes: Partial<ServiceContext> = {},
  ): Promise<number> {
    const instance = `gw-${this.#closing.length + 1}`;
    const context = this.fleet.context({ instance, owner: instance, ...changes });
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const fallback = { ...policy(), pools: [], backends: [] };
    const gateway = await startGateway(context, { listen, workers: 1, ...settings }, fallback);
    this.#closing.push(() => gateway.stop());
    this.gateways.push(gateway);
    return gateway.addresses[0]!.port;
  }

  /** One request through a lane; its path begins with `/zip` where that has plugins. */
  async ask(port: number, lane: LaneName, { path = '/', method = 'GET', ...wanted }: Wanted = {}) {
    const whole = lane.endsWith('plugin') ? `/zip${path}` : path;
    if (!lane.startsWith('HTTP/2')) return shown(await ask(port, { path: whole, method, ...wanted }));
    const { headers, body } = wanted;
    let client = this.#sessions.get(port);
    // One that was told to go is done with.
    if (client === undefined || client.goaway !== undefined)
      this.#sessions.set(port, (client = new Client(`http://127.0.0.1:${port}`)));
    const head: OutgoingHttpHeaders = { ':path': whole, ':method': method, ...headers };
    const { status, headers: got, body: text } = await client.ask(head, body);
    return shown({ status, headers: got, text });
  }

  async close(): Promise<void> {
    for (const client of this.#sessions.values()) client.close();
    for (const close of this.#closing.toReversed()) await close();
    await this.backend?.close();
    await this.fleet.close();
  }
}

/** What a client is told. */
function shown({ status, headers, text }: Pick<Answer, 'status' | 'text'> & { headers: object }) {
  return { status, text, headers: headers as Readonly<Record<string, string | undefined>> };
}
