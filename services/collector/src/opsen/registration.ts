import { type BackendSettings, hashOf, type Place, parseBackendUrl, pathPatternFault } from '@usher/domain';
import { ID_PATTERN } from '@usher/events';
import type { Targets } from '@usher/runtime';
import { type Body, OpsenRefusal } from './body.ts';

/** What clients serve on that name no endpoint. */
const STANDARD_PORT = 11_000;
const ID_LENGTH_MAX = 256;

/** What is remembered of a client beside what the fleet knows of its backend. */
export interface ClientDetails {
  readonly clientId: string;
  readonly hostname: string;
  readonly country: string;
  readonly city: string;
  readonly gpuModels: readonly string[];
  /** How many GPUs it registered with. */
  readonly gpus: number;
}

/** The client's own name, as every call of it has it. */
export function clientIdOf(body: Body): string {
  return body.required('client_id', ID_LENGTH_MAX);
}

/** The backend that a client is; names that are no ids get one made of them, always the same. */
export function backendIdOf(clientId: string): string {
  if (ID_PATTERN.test(clientId)) return clientId;
  const fit = clientId.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[_-]+/, '');
  return `${fit.slice(0, 48) || 'client'}-${hashOf(clientId).toString(16).padStart(8, '0')}`;
}

/**
 * Where a client takes requests: the first of its endpoints, or else its endpoint, or else the standard port of its
 * local or public address; and the endpoints that are for some paths. Refused when there is none, or one is not where
 * backends may be: otherwise whoever has a key could have Usher send requests to anything that it can reach.
 */
export function endpointsOf(body: Body, targets: Targets): Pick<BackendSettings, 'url' | 'endpoints'> {
  const standard = (name: string) => {
    const address = body.text(name);
    return address === undefined ? undefined : `http://${bracketed(address)}:${STANDARD_PORT}`;
  };
  const declared = body.objects('endpoints').map((each) => ({
    url: originOf(each.required('url'), targets),
    paths: each.texts('paths'),
  }));
  const single = body.text('endpoint_url') ?? standard('local_ip') ?? standard('public_ip');
  const url = declared[0]?.url ?? (single === undefined ? undefined : originOf(single, targets));
  if (url === undefined) throw new OpsenRefusal(400, 'Missing required field: endpoint_url');
  const endpoints = declared.flatMap((each) =>
    each.paths.map((path) => ({ path: patternOf(path), url: each.url })),
  );
  // Where there is one endpoint only, its paths choose nothing.
  return declared.length < 2 ? { url } : { url, endpoints };
}

function originOf(url: string, targets: Targets): string {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') throw new OpsenRefusal(400, `Invalid endpoint ${url}: ${origin}`);
  if (!targets.allowsHost(origin)) throw new OpsenRefusal(403, `Endpoint not allowed: ${url}`);
  return `${origin.tls ? 'https' : 'http'}://${origin.authority}`;
}

function patternOf(path: string): string {
  const pattern = path.startsWith('/') ? path : `/${path}`;
  const fault = pathPatternFault(pattern);
  if (fault !== undefined) throw new OpsenRefusal(400, `Invalid path ${path}: ${fault}`);
  return pattern;
}

/** Undefined for nothing and for 0,0, which is what clients send that do not know where they are. */
export function placeOf(
  body: Body,
  [latitudeKey, longitudeKey]: readonly [string, string],
): Place | undefined {
  const latitude = body.number(latitudeKey, { min: -90, max: 90 });
  const longitude = body.number(longitudeKey, { min: -180, max: 180 });
  if (latitude === undefined || longitude === undefined) return undefined;
  return latitude === 0 && longitude === 0 ? undefined : { latitude, longitude };
}

/** A client of which nothing is known but its name. */
export function unknownClient(clientId: string): ClientDetails {
  return { clientId, hostname: clientId, country: '', city: '', gpuModels: [], gpus: 0 };
}

/** What a registration says; what it leaves out is not known. */
export function registeredDetails(body: Body): ClientDetails {
  const gpuModels = body.texts('gpu_models');
  return {
    ...reportedDetails(body, unknownClient(clientIdOf(body))),
    gpuModels,
    gpus: body.number('total_gpus') ?? gpuModels.length,
  };
}

/** What is known of a client after a report, which may leave out what the registration said. */
export function reportedDetails(body: Body, known: ClientDetails): ClientDetails {
  const models = body.objects('gpus').map((gpu, index) => gpu.text('name') ?? known.gpuModels[index] ?? '');
  return {
    clientId: clientIdOf(body),
    hostname: body.text('hostname') ?? known.hostname,
    country: body.text('country') ?? known.country,
    city: body.text('city') ?? known.city,
    gpuModels: models.length === 0 ? known.gpuModels : models,
    gpus: known.gpus,
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
