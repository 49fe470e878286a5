import { problemOf } from '@usher/domain';
import { parseRouteQuestion, ROUTE_PREFIX, type RouteAnswer, type RouteRequest } from '@usher/events';
import type { ServiceContext, Subscription } from '@usher/ports';
import type { Workers } from './workers.ts';

/** Answers over the bus what this gateway would do with a request, asked by its name or as any of them. */
export function serveRouteAnswers(
  { bus, instance }: Pick<ServiceContext, 'bus' | 'instance'>,
  workers: Pick<Workers, 'ask'>,
): Subscription {
  const handle = async (_subject: string, payload: string): Promise<string> =>
    JSON.stringify(await answer(instance, workers, payload));
  const subscriptions = [ROUTE_PREFIX, `${ROUTE_PREFIX}.${instance}`].map((subject) =>
    bus.serve(subject, handle),
  );
  return {
    stop: () => {
      for (const subscription of subscriptions) subscription.stop();
    },
  };
}

async function answer(gateway: string, workers: Pick<Workers, 'ask'>, payload: string): Promise<RouteAnswer> {
  const { act, question: raw } = JSON.parse(payload) as RouteRequest;
  const question = parseRouteQuestion(raw);
  if (typeof question === 'string') return { ok: false, problem: problemOf('invalid_input', question) };
  const found = await workers.ask(act, question);
  if (found === undefined)
    return { ok: false, problem: problemOf('no_gateway', `no worker of gateway ${gateway} answers`) };
  return found.ok ? { ok: true, answer: { gateway, ...found.answer } } : found;
}
