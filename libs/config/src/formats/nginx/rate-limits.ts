import type { Input } from '../../input/input.ts';
import { map, rate, value } from '../draft.ts';
import type { Remarks } from '../remarks.ts';
import type { Directive } from './directives.ts';
import { measured, parameter } from './parameters.ts';
import { count } from './units.ts';

/** The limit that a block asks for by `limit_req`, with the zone that `http` declares for it. */
export function rateLimitIn(
  block: readonly Directive[],
  http: readonly Directive[],
  remarks: Remarks,
): Input | undefined {
  const [use, ...others] = block.filter(({ name }) => name === 'limit_req');
  for (const other of others) remarks.lost('limit_req', other.at, 'there is one limit in a place');
  if (use === undefined) return undefined;
  const zone = parameter(use, 'zone');
  const declared = http.find(
    (directive) =>
      directive.name === 'limit_req_zone' && parameter(directive, 'zone')?.split(':')[0] === zone,
  );
  const [, digits = '', unit = ''] = /^([0-9]{1,9})r\/([sm])$/.exec(parameter(declared, 'rate') ?? '') ?? [];
  if (declared === undefined || digits === '') {
    remarks.lost('limit_req', use.at, 'its zone has no rate that can be read');
    return undefined;
  }
  const { by, name } = keyOf(declared.args[0]?.text ?? '');
  return map(
    {
      by: value(by, declared.at),
      name: name === undefined ? undefined : value(name, declared.at),
      rate: value(rate(Number(digits) / (unit === 's' ? 1 : 60)), declared.at),
      burst: value((measured(use, 'burst', count, remarks) ?? 0) + 1, use.at),
    },
    use.at,
  );
}

function keyOf(variable: string): { readonly by: string; readonly name?: string } {
  if (variable === '$binary_remote_addr' || variable === '$remote_addr') return { by: 'ip' };
  const header = /^\$http_([a-z0-9_]+)$/.exec(variable)?.[1];
  return header === undefined ? { by: 'global' } : { by: 'header', name: header.replaceAll('_', '-') };
}
