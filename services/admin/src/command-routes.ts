import { UsherError } from '@usher/domain';
import { COMMAND_NAMES, COMMANDS, type CommandDeclaration, type HttpForm } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ANY_COMMAND, declareShort } from './api/command-docs.ts';
import { sendCommand, type Wish } from './command-sender.ts';
import { readObject, readQuery } from './input.ts';

const WISH_KEYS = ['name', 'data', 'actor', 'reason', 'expectRevision'] as const;

/**
 * Ways to send a command: `POST /v1/commands` takes any, the others are short for one. All take `Idempotency-Key` as
 * the command's id, `If-Match` as the revision it is based on and, but for the first, `?reason=`.
 */
export function registerCommandRoutes(app: FastifyInstance, context: ServiceContext): void {
  app.post('/v1/commands', ANY_COMMAND, (request) => {
    readQuery(request.query, []);
    return sendCommand(context, request, readWish(request.body));
  });
  for (const name of COMMAND_NAMES) {
    const declaration: CommandDeclaration = COMMANDS[name];
    const { http } = declaration;
    if (http === undefined) continue;
    app.route({
      method: http.method,
      url: http.path,
      ...declareShort(name, declaration, http),
      handler: (request) => {
        const { reason } = readQuery(request.query, ['reason']);
        const data = dataOf(http, request);
        return sendCommand(context, request, { name, data, ...(reason === undefined ? {} : { reason }) });
      },
    });
  }
}

/** The body as the command's data, with the resource that the path names. */
function dataOf({ body: kind }: HttpForm, { body, params }: FastifyRequest): Record<string, unknown> {
  const given = readObject(body);
  if (kind === 'whole') return given;
  if ('as' in kind) return { [kind.as]: given };
  const { besides } = kind;
  if (besides in given) throw new UsherError('invalid_input', `${besides}: the path says which`);
  return { ...given, [besides]: (params as { readonly id: string }).id };
}

function readWish(body: unknown): Wish {
  const wish = readObject(body);
  const unknown = Object.keys(wish).filter((key) => !WISH_KEYS.some((known) => known === key));
  if (unknown.length > 0)
    throw new UsherError('invalid_input', `Unknown: ${unknown.join(', ')}; known: ${WISH_KEYS.join(', ')}`);
  return { name: wish['name'], data: wish['data'] ?? {}, ...wish };
}
