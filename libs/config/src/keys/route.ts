import { resolve } from 'node:path';
import {
  type ArmSettings,
  builtInPlugin,
  type MirrorSettings,
  type PluginSettings,
  PRIORITIES,
  type Priority,
  type RateLimitSettings,
  type TierDetection,
  type TrafficSettings,
} from '@usher/domain';
import { join } from '../reading.ts';
import { list, mapped, wordOr } from '../types/collections.ts';
import { filePath, id, routeHost, routePath } from '../types/names.ts';
import { oneOf, trueOrFalse } from '../types/scalar.ts';
import { defaulted, openSection, optional, required, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { ARM_KEYS } from './arms.ts';
import { rateLimit } from './rate-limit.ts';
import { tierDetection } from './tier-detection.ts';
import { ROUTE_TRAFFIC_KEYS, splitTraffic } from './traffic/traffic.ts';

const pluginKeys = openSection({
  name: required({
    to: 'name',
    type: id,
    doc: 'Name of the plugin: `compression` or `gzip` without a `file`. Every key beside `name` and `file` is an option of the plugin.',
  }),
  file: optional('the built-in plugin of that name', {
    to: 'file',
    type: filePath,
    doc: 'Module of a Fastify plugin of your own. A relative path starts at the folder of the configuration file.',
  }),
});

const plugin = mapped(pluginKeys, (given, path, reading): PluginSettings => {
  if (given.file === undefined) {
    const read = builtInPlugin(given);
    const isNamed = !reading.isFaulty(path) && !reading.isFaulty(join(path, 'name'));
    if ('message' in read && isNamed) reading.complain(given, read.key, read.message);
    return given;
  }
  const { folder, disk } = reading.surroundings;
  const file = resolve(folder, given.file);
  if (!disk.isFile(file)) reading.complain(given, 'file', `there is no such file: ${file}`);
  return { ...given, file };
});

/** A route as the file declares it; those without an id get one by their place. */
export interface DeclaredRoute extends ArmSettings {
  readonly id?: string | undefined;
  readonly host?: string | undefined;
  readonly path: string;
  readonly plugins: readonly PluginSettings[];
  readonly websocket: boolean;
  readonly tier?: TierDetection | undefined;
  readonly rateLimit?: RateLimitSettings | 'none' | undefined;
  readonly priority: Priority;
  readonly mirror?: MirrorSettings | undefined;
  readonly traffic?: TrafficSettings | undefined;
}

const keys = section({
  id: optional('the place in the list, such as `route-1`', {
    to: 'id',
    type: id,
    doc: 'Name of the route in metrics, logs and explanations.',
  }),
  host: optional('every host', {
    to: 'host',
    type: routeHost,
    doc: 'Host that the request must be for, in any case and without a port; `*.example.com` is every host below example.com.',
  }),
  path: required({
    to: 'path',
    type: routePath,
    doc: 'Path that the request must have: `/login` exactly, `/v1/*` for `/v1` and all below it, `/*` for every path.',
  }),
  pool: optional('nobody serves the request', {
    to: 'pool',
    type: id,
    doc: 'Pool that serves the request. Only a route that sends everybody elsewhere, by a `redirect` with `to`, can do without.',
  }),
  ...ARM_KEYS,
  websocket: defaulted(true, {
    to: 'websocket',
    type: trueOrFalse,
    doc: 'Whether clients may turn their connection into a WebSocket. If not, such a request is served like any other. Changing to any other protocol is never possible.',
  }),
  tier: optional('requests name no tier', {
    to: 'tier',
    type: tierDetection,
    doc: 'Where a request names the tier that it needs, of those that its pool has. The body is looked at first, then the query, then the header. A tier that the pool has not is answered with 400.',
  }),
  rate_limit: optional('the one of the whole configuration', {
    to: 'rateLimit',
    type: wordOr('none', rateLimit),
    doc: 'How many requests of the route may pass, instead of the `rate_limit` of the whole configuration; `none` = any number.',
  }),
  priority: defaulted('normal', {
    to: 'priority',
    type: oneOf(PRIORITIES),
    doc: 'What happens when there is too much to do, see `overload`: `sheddable` requests are the first to be answered with 503, `critical` ones are served as long as anything is.',
  }),
  ...ROUTE_TRAFFIC_KEYS,
  plugins: defaulted([], {
    to: 'plugins',
    type: list(plugin),
    doc: 'Fastify plugins that the request goes through, in this order.',
    why: 'Requests of routes with plugins take the plugin lane, which costs more than the wire lane.',
  }),
});

export const route: Type<DeclaredRoute> = mapped(
  keys,
  (given): DeclaredRoute => {
    const [traffic, rest] = splitTraffic(given);
    return { ...rest, ...traffic };
  },
  ({ traffic, ...rest }) => ({ ...rest, ...traffic }),
);

export const routes: Type<readonly DeclaredRoute[]> = list(route);
