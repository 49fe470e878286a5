import { canonicalJson } from './canonical-json.ts';
import type { PoolSettings, RouteSettings, SharedSettings } from './settings.ts';
import type { TrafficSettings } from './traffic/traffic-settings.ts';

/**
 * What settings say that only the file of a process may bring in, because it makes the machines of the fleet run, read or ask
 * something: modules, with the options of plugins, files, secrets, name servers and where keys are published. Each by a key that is equal for what
 * means the same wherever it stands, with a sentence's worth of where it stands.
 */
export function fileWords({ pools, routes, traffic }: SharedSettings): Map<string, string> {
  const words = [
    ...pools.flatMap(wordsOfPool),
    ...routes.flatMap(wordsOfRoute),
    ...wordsOfTraffic('traffic', traffic),
  ];
  return new Map(words.map(({ kind, value, at }) => [canonicalJson([kind, value]), at]));
}

interface Word {
  readonly kind: string;
  readonly value: unknown;
  readonly at: string;
}

function wordsOfPool({ id, strategyFile, tls, discovery, sticky }: PoolSettings): Word[] {
  const named: readonly (readonly [string, string, string | undefined])[] = [
    ['module', 'strategyFile', strategyFile],
    ['ca', 'tls.ca', tls?.ca],
    ['cert', 'tls.cert', tls?.cert],
    ['key', 'tls.key', tls?.key],
    ['backends', 'discovery.file', discovery?.by === 'file' ? discovery.file : undefined],
    ...(discovery?.by === 'file' ? [] : (discovery?.servers ?? [])).map(
      (server) => ['server', 'discovery.servers', server] as const,
    ),
    ...(sticky?.by === 'cookie' ? sticky.keys : []).map((key) => ['secret', 'sticky.keys', key] as const),
  ];
  return named.flatMap(([kind, key, value]) =>
    value === undefined ? [] : [{ kind, value, at: `pools.${id}.${key} ${value}` }],
  );
}

/** Whoever says where keys and secrets are has every gateway ask or look there, and lets in whom those are of. */
function wordsOfTraffic(of: string, { jwt }: TrafficSettings = {}): Word[] {
  if (jwt === undefined || jwt === 'none') return [];
  const { jwks, keys } = jwt;
  const secrets = keys.flatMap((key) =>
    key.algorithm === 'HS256'
      ? [{ kind: 'token_secret', value: key.reference, at: `${of}.jwt.keys ${key.reference}` }]
      : [],
  );
  if (jwks === undefined) return secrets;
  const where = 'url' in jwks ? jwks.url : jwks.file;
  return [...secrets, { kind: 'jwks', value: jwks, at: `${of}.jwt.jwks ${where}` }];
}

function wordsOfRoute({ id, plugins, traffic }: RouteSettings): Word[] {
  const ofPlugins = plugins.flatMap(({ file, options }) =>
    file === undefined
      ? []
      : [
          {
            kind: 'plugin',
            value: { file, options },
            at: `routes.${id}.plugins ${file}, or these options of it`,
          },
        ],
  );
  return [...ofPlugins, ...wordsOfTraffic(`routes.${id}`, traffic)];
}
