import { ERRORS, type ErrorCode, type Explanation, UsherError } from '@usher/domain';
import {
  ID_PATTERN,
  parseRouteQuestion,
  ROUTE_PREFIX,
  type RouteAnswer,
  type RouteRequest,
} from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { FastifyInstance } from 'fastify';
import { EXPLAIN } from './api/route-docs.ts';
import { readObject, readQuery } from './input.ts';

/** How long a gateway may take to answer: more than its worker may, so that we hear when that does not. */
const ANSWER_TIMEOUT_MS = 3_000;

/**
 * `POST /v1/route`: what a gateway would do with a request, and why. Nothing is sent and nothing changes by it. The gateway
 * is the one that `gateway` names, or any.
 */
export function registerRouteRoutes(app: FastifyInstance, context: ServiceContext): void {
  app.post('/v1/route', EXPLAIN, async (request): Promise<Explanation> => {
    readQuery(request.query, []);
    const { gateway, ...question } = readObject(request.body);
    const fault = parseRouteQuestion(question);
    if (typeof fault === 'string') throw new UsherError('invalid_input', fault);
    const message: RouteRequest = { act: 'explain', question };
    const answer = await ask(context, subjectFor(context, gateway), JSON.stringify(message));
    if (answer.ok) return answer.answer as Explanation;
    // A gateway of another version may know codes that we do not.
    const code: ErrorCode = Object.hasOwn(ERRORS, answer.problem.code) ? answer.problem.code : 'internal';
    throw new UsherError(code, answer.problem.detail);
  });
}

function subjectFor({ fleet }: ServiceContext, gateway: unknown): string {
  if (gateway === undefined) return ROUTE_PREFIX;
  if (typeof gateway !== 'string' || !ID_PATTERN.test(gateway))
    throw new UsherError('invalid_input', 'gateway: expected the name of a gateway');
  const known = fleet.state.gateways.get(gateway);
  if (known === undefined) throw new UsherError('not_found', `The fleet has no gateway ${gateway}`);
  if (!known.running) throw new UsherError('no_gateway', `gateway ${gateway} is not running`);
  return `${ROUTE_PREFIX}.${gateway}`;
}

async function ask({ bus }: ServiceContext, subject: string, payload: string): Promise<RouteAnswer> {
  try {
    return JSON.parse(await bus.request(subject, payload, ANSWER_TIMEOUT_MS)) as RouteAnswer;
  } catch (error) {
    if (error instanceof UsherError && error.code === 'no_leader')
      throw new UsherError('no_gateway', error.detail, { cause: error });
    throw error;
  }
}
