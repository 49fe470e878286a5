import type { BackendView } from '@usher/admin';
import type { EndpointSettings } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { numberOption, placeOption } from '../arguments.ts';
import { change } from '../change.ts';
import { drainLine } from '../drain-line.ts';
import { EXIT_OK, type Run, UsageError } from '../io.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/fleet.ts';

export const backends: Run<typeof verbs.backends> = async ({ options }, io) => {
  const client = await AdminClient.find(options, io);
  const answer = await client.get<{ readonly backends: readonly BackendView[] }>('/v1/backends', 'backends');
  const rows = answer.backends.filter(({ pool }) => options.pool === undefined || pool === options.pool);
  if (options.json) {
    io.out(JSON.stringify(rows));
    return EXIT_OK;
  }
  const cells = rows.map((row) => [
    row.pool,
    row.id,
    row.url,
    String(row.weight),
    row.eligibility === 'ok' && row.ejectedBy.length > 0 ? 'ejected' : row.eligibility,
    row.health,
    row.breaker,
    String(row.requests),
    String(row.failures),
  ]);
  const header = ['POOL', 'BACKEND', 'URL', 'WEIGHT', 'STATE', 'HEALTH', 'BREAKER', 'REQUESTS', 'FAILURES'];
  for (const line of table(header, cells)) io.out(line);
  for (const { id, drain: drained } of rows) if (drained !== null) io.out(drainLine(id, drained));
  return EXIT_OK;
};

export const backendsAdd: Run<typeof verbs.backendsAdd> = async ({ options }, io) => {
  const { pool, id, url, zone, ...rest } = options;
  const endpoints = endpointsOf(options.endpoint);
  const weight = numberOption('weight', options.weight) ?? 1;
  const settings = { id, pool, url, endpoints, weight, zone, place: placeOption('place', options.place) };
  return await change('backend.add', { settings }, { ...rest, id: undefined }, io);
};

/** In place of what is taken away. */
const NONE = 'none';

function endpointsOf(texts: readonly string[]): EndpointSettings[] | undefined {
  return texts.length === 0 ? undefined : texts.map(endpointOf);
}

/** `/api/*=http://10.0.0.1:3001`: a path may contain an equals sign, a URL of a backend never does. */
function endpointOf(text: string): EndpointSettings {
  const equals = text.lastIndexOf('=');
  if (equals <= 0)
    throw new UsageError(
      `--endpoint takes a path and a URL such as /api/*=http://10.0.0.1:3001, not ${text}`,
    );
  return { path: text.slice(0, equals), url: text.slice(equals + 1) };
}

export const backendsUpdate: Run<typeof verbs.backendsUpdate> = async (given, io) => {
  const { url, zone, endpoint, ...rest } = given.options;
  const weight = numberOption('weight', rest.weight);
  // All of them are named, or that there are none.
  const endpoints = endpoint.join() === NONE ? [] : endpointsOf(endpoint);
  const place = rest.place === NONE ? null : placeOption('place', rest.place);
  const settings = { backend: given.arguments.ID, url, weight, zone, endpoints, place };
  return await change('backend.update', settings, rest, io);
};

export const backendsRemove: Run<typeof verbs.backendsRemove> = async (given, io) =>
  await change('backend.remove', { backend: given.arguments.ID }, given.options, io);

export const drain: Run<typeof verbs.drain> = async (given, io) => {
  const seconds = numberOption('deadline', given.options.deadline);
  const deadline = seconds === undefined ? {} : { deadlineMs: Math.round(seconds * 1000) };
  return await change('backend.drain', { backend: given.arguments.ID, ...deadline }, given.options, io);
};

export const enable: Run<typeof verbs.enable> = async (given, io) =>
  await change('backend.enable', { backend: given.arguments.ID }, given.options, io);

export const disable: Run<typeof verbs.disable> = async (given, io) =>
  await change('backend.disable', { backend: given.arguments.ID }, given.options, io);

export const weight: Run<typeof verbs.weight> = async (given, io) => {
  const { ID: backend, N } = given.arguments;
  return await change('backend.update', { backend, weight: numberOption('weight', N) }, given.options, io);
};
