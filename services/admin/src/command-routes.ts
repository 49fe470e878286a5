import { UsherError } from '@usher/domain';
import type { CommandName } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Accepted, sendCommand, type Wish } from './command-sender.ts';
import { readObject, readQuery } from './input.ts';

const OPERATE = { config: { role: 'operate' } } as const;
/** Where a resource is named, it is named by the path. */
interface ById {
  readonly Params: { readonly id: string };
}
const WISH_KEYS = ['name', 'data', 'actor', 'reason', 'expectRevision'] as const;

/**
 * Ways to send a command: `POST /v1/commands` takes any, the others are short for one. All take `Idempotency-Key` as
 * the command's id, `If-Match` as the revision it is based on and, but for the first, `?reason=`.
 */
export function registerCommandRoutes(app: FastifyInstance, context: ServiceContext): void {
  const short = (request: FastifyRequest, name: CommandName, data: unknown): Promise<Accepted> => {
    const { reason } = readQuery(request.query, ['reason']);
    return sendCommand(context, request, { name, data, ...(reason === undefined ? {} : { reason }) });
  };

  app.post('/v1/commands', OPERATE, (request) => {
    readQuery(request.query, []);
    return sendCommand(context, request, readWish(request.body));
  });
  app.post('/v1/backends', OPERATE, (request) => {
    const settings = { weight: 1, ...readObject(request.body) };
    return short(request, 'backend.add', { settings });
  });
  app.patch<ById>('/v1/backends/:id', OPERATE, (request) =>
    short(request, 'backend.update', about(request, 'backend')),
  );
  app.delete<ById>('/v1/backends/:id', OPERATE, (request) =>
    short(request, 'backend.remove', about(request, 'backend')),
  );
  for (const verb of ['drain', 'enable', 'disable'] as const) {
    app.post<ById>(`/v1/backends/:id/${verb}`, OPERATE, (request) =>
      short(request, `backend.${verb}`, about(request, 'backend')),
    );
  }
  app.post<ById>('/v1/pools/:id/strategy', OPERATE, (request) =>
    short(request, 'pool.set_strategy', about(request, 'pool')),
  );
}

/** The body as a command's data, with the resource that the path names. */
function about(request: FastifyRequest<ById>, kind: 'backend' | 'pool'): Record<string, unknown> {
  const body = readObject(request.body);
  if (kind in body) throw new UsherError('invalid_input', `${kind}: the path says which`);
  return { ...body, [kind]: request.params.id };
}

function readWish(body: unknown): Wish {
  const wish = readObject(body);
  const unknown = Object.keys(wish).filter((key) => !WISH_KEYS.some((known) => known === key));
  if (unknown.length > 0)
    throw new UsherError('invalid_input', `Unknown: ${unknown.join(', ')}; known: ${WISH_KEYS.join(', ')}`);
  return { name: wish['name'], data: wish['data'] ?? {}, ...wish };
}
