import type { Input } from '../../input/input.ts';
import { map, unlessEmpty } from '../draft.ts';
import { headersOf, removedHeaders, type WrittenHeader } from '../header-edits.ts';
import type { Remarks } from '../remarks.ts';
import { inForce, isOwnHeader, type Scopes } from './scopes.ts';
import { hasBraces, templateOf } from './templates.ts';

/** `proxy_set_header` of a location as `request_headers`. */
export function requestHeaders(scopes: Scopes, remarks: Remarks): Input | undefined {
  const name = 'proxy_set_header';
  const given = inForce(name, scopes).filter(({ args }) => !isOwnHeader(args[0]?.text ?? ''));
  // In nginx a header without a value does not go to the backend.
  const removed = removedHeaders(
    given.flatMap(({ args: [header, text] }) =>
      header !== undefined && text?.text === '' ? [{ name: header.text, text: '', at: header.at }] : [],
    ),
    name,
    remarks,
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
  return unlessEmpty(map({ set, remove: removed }));
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
  if (hasBraces(text)) return { name, text, at };
  return { name, text: templateOf(text) ?? '', at, isTemplate: true };
}
