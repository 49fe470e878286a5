import { detectTier, type Features, fieldOf, jsonField } from '@usher/domain';
import type { FastifyRequest } from 'fastify';
import { featuresWith } from '../sticky/sticky.ts';
import { headerOfMessage } from '../wire/client-place.ts';
import { queryParameter } from '../wire/request-features.ts';
import type { Arrival } from './exchange.ts';

/** What of a request decides where it goes; a sentence when it does not say so as it should. */
export function featuresOfMessage(
  request: FastifyRequest,
  { entry, key, from, visit }: Arrival,
): Features | string {
  const { tiers } = entry.pool.settings;
  const tier = detectTier(tiers, entry.settings.tier, {
    field: (name) => fieldOfBody(request.body, name, entry.settings.tier?.fieldBytesMax ?? 0),
    query: (name) => queryParameter(request.raw.url ?? '', name),
    header: (name) => headerOfMessage({ headers: request.headers, rawHeaders: request.raw.rawHeaders }, name),
  });
  return typeof tier === 'string' ? tier : featuresWith(visit, { key, tier, from }, tiers);
}

/** Of a body that was read whole; a plugin may have parsed it already. */
function fieldOfBody(body: unknown, name: string, bytesMax: number): string | undefined {
  if (!Buffer.isBuffer(body)) return fieldOf(body, name);
  return body.length <= bytesMax ? jsonField(body.toString(), name) : undefined;
}
