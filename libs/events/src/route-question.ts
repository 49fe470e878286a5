import type { Explanation, Problem, RouteDecision, RouteQuestion } from '@usher/domain';
import { z } from 'zod';
import { id } from './data-schemas.ts';

const HEADERS_MAX = 200;
/** A line break would begin another header field. */
const text = z
  .string()
  .max(16_384)
  .regex(/^[^\r\n]*$/, 'expected no line break');

/** A request about which a gateway is asked, as `POST /v1/route` takes it. */
export const routeQuestion = z.strictObject({
  method: text.min(1).default('GET'),
  url: text.optional(),
  host: text.optional(),
  path: text.optional(),
  headers: z.record(text, z.union([text, z.array(text).max(HEADERS_MAX)])).default({}),
  client_ip: z.union([z.ipv4(), z.ipv6()], 'expected an IP address').optional(),
  tier: z.string().min(1).max(300).optional(),
  client_lat: z.number().min(-90).max(90).optional(),
  client_lon: z.number().min(-180).max(180).optional(),
  pool: id.optional(),
});

/** Reads what `POST /v1/route` is asked; a string says what is wrong with it. */
export function parseRouteQuestion(raw: unknown): RouteQuestion | string {
  const read = routeQuestion.safeParse(raw);
  if (!read.success)
    return read.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
  const { method, headers, client_ip, tier, client_lat, client_lon, pool } = read.data;
  const aim = aimOf(read.data);
  if (typeof aim === 'string') return aim;
  if ((client_lat === undefined) !== (client_lon === undefined))
    return 'client_lat and client_lon: give both or neither';
  return {
    method,
    ...aim,
    headers: Object.entries(headers).flatMap(([name, values]) =>
      [values].flat().map((value) => [name, value] as const),
    ),
    clientIp: client_ip,
    tier,
    from:
      client_lat === undefined || client_lon === undefined
        ? undefined
        : { latitude: client_lat, longitude: client_lon },
    pool,
  };
}

/** Read by hand: a URL parser would tidy up what a gateway sees as it was sent. */
const URL_PARTS = /^(https?):\/\/(?:[^/?#@]*@)?([^/?#]+)(\/[^?#]*)?(\?[^#]*)?(?:#.*)?$/i;

function aimOf({
  url,
  host,
  path,
}: z.infer<typeof routeQuestion>): Pick<RouteQuestion, 'host' | 'target' | 'scheme'> | string {
  if (url === undefined) {
    if (host === undefined || path === undefined) return 'url: expected, or host and path';
    return { host, target: path };
  }
  if (host !== undefined || path !== undefined) return 'url: it names host and path already';
  const parts = URL_PARTS.exec(url);
  if (parts === null) return `url: expected one such as https://example.com/path, not ${JSON.stringify(url)}`;
  const [, scheme = '', authority = '', before = '/', query = ''] = parts;
  const isSecure = scheme.toLowerCase() === 'https';
  return { host: authority, target: before + query, scheme: isSecure ? 'https' : 'http' };
}

/** `explain` changes nothing; `decide` takes its turn like a request, but nothing is sent anywhere. */
export type RouteAct = 'explain' | 'decide';

/** What is sent to `ROUTE_PREFIX`: the question is one that `parseRouteQuestion` reads. */
export interface RouteRequest {
  readonly act: RouteAct;
  readonly question: unknown;
}

/** What a gateway answers: to `explain` an `Explanation`, to `decide` a `RouteDecision`. */
export type RouteAnswer =
  | { readonly ok: true; readonly answer: Explanation | RouteDecision }
  | { readonly ok: false; readonly problem: Problem };
