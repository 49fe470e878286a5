import type { TrafficSettings } from '@usher/domain';
import { wordOr } from '../../types/collections.ts';
import { optional } from '../../types/section.ts';
import { size } from '../../types/units.ts';
import { apiKeys } from './api-keys.ts';
import { clients } from './clients.ts';
import { cors } from './cors.ts';
import { headerEdits, securityHeaders } from './headers.ts';
import { jwt } from './jwt.ts';
import { redirect, rewrite } from './paths.ts';
import { requestId } from './request-id.ts';

const SEE = 'See [traffic](../traffic.md).';
const OF_ALL = 'the one of the whole configuration';

const DOCS = {
  clients: `Whose requests are served, by their addresses. ${SEE}`,
  redirect: `Where clients are sent instead of being served; \`https\`: those who do not come over TLS, to the same URL with https, by 308. ${SEE}`,
  cors: `Which pages of other sites may use a route. The gateway answers their preflight requests. ${SEE}`,
  apiKeys: `Who may call, by a key in a header; all others are answered with 401. ${SEE}`,
  jwt: `Who may call, by a signed token in \`Authorization: Bearer\`; all others are answered with 401. ${SEE}`,
  requestId: `Where a request's id stands beside \`X-Request-Id\`, and whose ids are kept. ${SEE}`,
  requestHeaders: `What changes in the header of requests on their way to a backend. ${SEE}`,
  responseHeaders: `What changes in the header of all answers, also in those of the gateway itself. ${SEE}`,
  securityHeaders: `Headers by which browsers protect a site, in answers that do not have them from their backends; \`{}\` for the usual ones. ${SEE}`,
};

/** What holds for routes that do not say it themselves. */
export const SHARED_TRAFFIC_KEYS = {
  clients: optional('every client', { to: 'clients', type: clients, doc: DOCS.clients }),
  redirect: optional('nobody is sent elsewhere', { to: 'redirect', type: redirect, doc: DOCS.redirect }),
  cors: optional('as backends say', { to: 'cors', type: cors, doc: DOCS.cors }),
  api_keys: optional('no key is asked for', { to: 'apiKeys', type: apiKeys, doc: DOCS.apiKeys }),
  jwt: optional('no token is asked for', { to: 'jwt', type: jwt, doc: DOCS.jwt }),
  request_id: optional("a client's own is kept", {
    to: 'requestId',
    type: requestId,
    doc: DOCS.requestId,
  }),
  request_headers: optional('nothing', {
    to: 'requestHeaders',
    type: headerEdits,
    doc: DOCS.requestHeaders,
  }),
  security_headers: optional('as backends send them', {
    to: 'securityHeaders',
    type: securityHeaders,
    doc: DOCS.securityHeaders,
  }),
  response_headers: optional('nothing', {
    to: 'responseHeaders',
    type: headerEdits,
    doc: DOCS.responseHeaders,
  }),
};

/** What a route says itself; `none` takes away what all others have. */
export const ROUTE_TRAFFIC_KEYS = {
  clients: optional(OF_ALL, { to: 'clients', type: wordOr('none', clients), doc: DOCS.clients }),
  redirect: optional(OF_ALL, { to: 'redirect', type: wordOr('none', redirect), doc: DOCS.redirect }),
  cors: optional(OF_ALL, { to: 'cors', type: wordOr('none', cors), doc: DOCS.cors }),
  api_keys: optional(OF_ALL, { to: 'apiKeys', type: wordOr('none', apiKeys), doc: DOCS.apiKeys }),
  jwt: optional(OF_ALL, { to: 'jwt', type: wordOr('none', jwt), doc: DOCS.jwt }),
  request_body: optional('`limits.request_body`', {
    to: 'bodyBytes',
    type: size({ min: '1B', max: '1024GiB', zero: 'no limit' }),
    doc: 'Largest body of a request of the route; a larger one is answered with 413.',
  }),
  request_id: optional(OF_ALL, {
    to: 'requestId',
    type: wordOr('none', requestId),
    doc: DOCS.requestId,
  }),
  rewrite: optional('paths go as they are', {
    to: 'rewrite',
    type: rewrite,
    doc: `How the path changes on its way to the backend. ${SEE}`,
  }),
  request_headers: optional(OF_ALL, {
    to: 'requestHeaders',
    type: wordOr('none', headerEdits),
    doc: DOCS.requestHeaders,
  }),
  security_headers: optional(OF_ALL, {
    to: 'securityHeaders',
    type: wordOr('none', securityHeaders),
    doc: DOCS.securityHeaders,
  }),
  response_headers: optional(OF_ALL, {
    to: 'responseHeaders',
    type: wordOr('none', headerEdits),
    doc: DOCS.responseHeaders,
  }),
};

/** Takes the policy out of what else a section says. */
export function splitTraffic<G extends TrafficSettings>({
  clients,
  redirect,
  cors,
  apiKeys,
  jwt,
  bodyBytes,
  requestId,
  rewrite,
  requestHeaders,
  responseHeaders,
  securityHeaders,
  ...rest
}: G): readonly [traffic: { readonly traffic?: TrafficSettings }, rest: Omit<G, keyof TrafficSettings>] {
  const all = {
    clients,
    redirect,
    cors,
    apiKeys,
    jwt,
    bodyBytes,
    requestId,
    rewrite,
    requestHeaders,
    responseHeaders,
    securityHeaders,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return [given.length === 0 ? {} : { traffic: Object.fromEntries(given) }, rest];
}
