import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { duration, map, value } from '../draft.ts';
import type { Remarks } from '../remarks.ts';
import type { Directive } from './directives.ts';
import { parameter } from './parameters.ts';
import { time } from './units.ts';

interface Balancing {
  readonly strategy: Input;
  readonly hash: Input | undefined;
  readonly sticky: Input | undefined;
}

/** How an upstream chooses. Without a word about it, in turn and by weight. */
export function balancing(block: readonly Directive[], weighted: boolean, remarks: Remarks): Balancing {
  let strategy = value(weighted ? 'weighted_round_robin' : 'round_robin');
  let hash: Input | undefined;
  let sticky: Input | undefined;
  for (const directive of block) {
    const { name, args, at } = directive;
    if (name === 'least_conn') strategy = value('least_connections', at);
    else if (name === 'ip_hash') strategy = value('ip_hash', at);
    else if (name === 'least_time') strategy = value('least_response_time', at);
    else if (name === 'random') strategy = value(args[0]?.text === 'two' ? 'p2c' : 'random', at);
    else if (name === 'hash') {
      hash = hashOf(args[0]?.text ?? '', at);
      if (hash === undefined)
        remarks.lost(name, at, 'requests cannot be told apart by this; the strategy stays');
      else strategy = value('consistent_hash', at);
    } else if (name === 'sticky') sticky = stickyOf(directive, remarks);
  }
  return { strategy, hash, sticky };
}

function hashOf(variable: string, at: Place): Input | undefined {
  if (['$remote_addr', '$binary_remote_addr'].includes(variable)) return map({ by: value('ip', at) });
  if (['$request_uri', '$uri'].includes(variable)) return map({ by: value('path', at) });
  const [, kind = '', name = ''] = /^\$(http|cookie)_([A-Za-z0-9_]+)$/.exec(variable) ?? [];
  if (name === '') return undefined;
  if (kind === 'cookie') return map({ by: value('cookie', at), name: value(name, at) });
  return map({ by: value('header', at), name: value(name.replaceAll('_', '-'), at) });
}

function stickyOf(directive: Directive, remarks: Remarks): Input | undefined {
  const { args, at } = directive;
  const [kind, name] = args;
  if (kind?.text !== 'cookie' || name === undefined) {
    remarks.lost('sticky', at, 'only cookies of the balancer are known');
    return undefined;
  }
  const ms = time(parameter(directive, 'expires') ?? '');
  const life = ms === undefined || ms === 0 ? undefined : value(duration(ms), at);
  const [domain, path] = [parameter(directive, 'domain')?.replace(/^\./, ''), parameter(directive, 'path')];
  return map(
    {
      by: value('cookie', at),
      name: value(name.text, name.at),
      ttl: life,
      idle: life,
      domain: domain === undefined ? undefined : value(domain, at),
      path: path === undefined ? undefined : value(path, at),
    },
    at,
  );
}
