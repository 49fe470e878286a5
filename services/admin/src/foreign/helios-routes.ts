import { eligibility, UsherError } from '@usher/domain';
import type { CommandName } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { MetricsReading } from '@usher/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendCommand } from '../command-sender.ts';
import { readObject } from '../input.ts';
import * as docs from './helios-docs.ts';
import { type HeliosBackend, heliosMetrics } from './helios-metrics.ts';
import { sumOf } from './sums.ts';

/** Strategies by the names that Helios has for them, where those are not the same. */
const STRATEGIES: ReadonlyMap<string, string> = new Map([['ip_hash_consistent', 'ip_hash']]);

export interface HeliosRoutesOptions {
  /** Whose backends and strategy it is about. */
  readonly pool: string;
  readonly metrics: MetricsReading;
}

/**
 * Adds the admin API of Helios to a server that knows who calls and answers errors: what is written through it becomes
 * commands, durable when they are answered, as those of Usher's own API are.
 */
export function registerHeliosRoutes(
  app: FastifyInstance,
  context: ServiceContext,
  { pool, metrics }: HeliosRoutesOptions,
): void {
  const { fleet, clock } = context;
  const started = { atMs: clock.now(), steadyMs: clock.steady() };
  const send = (request: FastifyRequest, name: CommandName, data: object) =>
    sendCommand(context, request, { name, data });

  const readMetrics = () => heliosMetrics(context, metrics, pool, started);
  const readBackends = async (): Promise<HeliosBackend[]> => {
    const inFlight = await metrics.samples('usher_backend_in_flight');
    return [...fleet.state.backends.values()]
      .filter(({ settings }) => settings.pool === pool)
      .map((backend) => ({
        name: backend.settings.id,
        address: backend.settings.url,
        healthy: eligibility(backend) === 'ok',
        active_connections: sumOf(inFlight, { backend: backend.settings.id }),
        weight: backend.settings.weight,
      }));
  };
  app.get('/v1/metrics', docs.METRICS, readMetrics);
  app.get('/v1/backends', docs.BACKENDS, readBackends);
  // As a part of its documentation has them.
  app.get('/api/metrics', docs.UNDOCUMENTED_READ, readMetrics);
  app.get('/api/backends', docs.UNDOCUMENTED_READ, readBackends);
  app.post('/v1/backends/add', docs.ADD, async (request, reply) => {
    const { name, address, weight } = readObject(request.body);
    if (!isText(name) || !isText(address))
      throw new UsherError('invalid_input', 'name and address are required');
    const settings = {
      id: name,
      pool,
      url: withScheme(address),
      weight: weight === undefined || weight === 0 ? 1 : weight,
    };
    await send(request, 'backend.add', { settings });
    return answer(reply, 201, 'added');
  });
  const remove = async (request: FastifyRequest, reply: FastifyReply) => {
    const { name } = readObject(request.body);
    if (!isText(name)) throw new UsherError('invalid_input', 'name is required');
    // Who is not there is removed: repeating it is no error.
    if (fleet.state.backends.get(name)?.settings.pool === pool)
      await send(request, 'backend.remove', { backend: name });
    return answer(reply, 200, 'removed');
  };
  app.post('/v1/backends/remove', docs.REMOVE_BY_POST, remove);
  app.delete('/v1/backends/remove', docs.REMOVE, remove);
  app.post('/v1/strategy', docs.STRATEGY, async (request, reply) => {
    const { strategy } = readObject(request.body);
    if (!isText(strategy)) throw new UsherError('invalid_input', 'strategy is required');
    await send(request, 'pool.set_strategy', { pool, strategy: STRATEGIES.get(strategy) ?? strategy });
    return answer(reply, 200, 'updated');
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Helios takes `localhost:8084` too. */
function withScheme(address: string): string {
  return address.includes('://') ? address : `http://${address}`;
}

function answer(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(text);
}
