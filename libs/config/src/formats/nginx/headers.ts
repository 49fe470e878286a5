import type { Input } from '../../input/input.ts';
import { map, series, value } from '../draft.ts';
import { headersOf, type WrittenHeader } from '../header-edits.ts';
import type { Remarks } from '../remarks.ts';
import { inForce, isOwnHeader, type Scopes } from './scopes.ts';

const VARIABLES: ReadonlyMap<string, string> = new Map([
  ['remote_addr', '{client}'],
  ['request_id', '{request_id}'],
  ['scheme', '{scheme}'],
  ['host', '{host}'],
  ['request_uri', '{path}{query}'],
]);

/** `proxy_set_header` of a location as `request_headers`. */
export function requestHeaders(scopes: Scopes, remarks: Remarks): Input | undefined {
  const name = 'proxy_set_header';
  const given = inForce(name, scopes).filter(({ args }) => !isOwnHeader(args[0]?.text ?? ''));
  // In nginx a header without a value does not go to the backend.
  const removed = given.flatMap(({ args: [header, text] }) =>
    header !== undefined && text?.text === '' ? [value(header.text, header.at)] : [],
  );
  const set = headersOf(
    given.flatMap(({ args: [header, text], at }) =>
      header === undefined || text === undefined || text.text === ''
        ? []
        : [translated(header.text, text.text, at)],
    ),
    name,
    remarks,
  );
  if (set === undefined && removed.length === 0) return undefined;
  return map({ set, remove: removed.length === 0 ? undefined : series(removed) });
}

/** `add_header` of a location as `response_headers`. */
export function responseHeaders(scopes: Scopes, remarks: Remarks): Input | undefined {
  const name = 'add_header';
  const add = headersOf(
    inForce(name, scopes).flatMap(({ args: [header, text], at }) =>
      header === undefined || text === undefined || text.text === ''
        ? []
        : [translated(header.text, text.text, at)],
    ),
    name,
    remarks,
  );
  return add === undefined ? undefined : map({ add });
}

function translated(name: string, text: string, at: WrittenHeader['at']): WrittenHeader {
  if (/\{[a-z_]+\}/.test(text.replaceAll('${', '$'))) return { name, text, at };
  let unknown = false;
  const template = text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_whole, braced?: string, bare?: string) => {
    const variable = VARIABLES.get(braced ?? bare ?? '');
    unknown ||= variable === undefined;
    return variable ?? '';
  });
  return unknown ? { name, text: '', at } : { name, text: template, at, isTemplate: true };
}
