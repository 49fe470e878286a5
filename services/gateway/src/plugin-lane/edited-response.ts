import { type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { editResponse, type HeaderEdits } from '../traffic/header-edits.ts';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** An answer of which the policy of its route changes the headers, whoever has written it. */
export class EditedResponse extends ServerResponse {
  edits: HeaderEdits | undefined;

  override writeHead(status: number, reasonOrHeaders?: string | Headers, headers?: Headers): this {
    const { edits } = this;
    const given = typeof reasonOrHeaders === 'string' ? headers : reasonOrHeaders;
    const reason = typeof reasonOrHeaders === 'string' ? reasonOrHeaders : undefined;
    if (edits === undefined || this.headersSent) {
      return reason === undefined ? super.writeHead(status, given) : super.writeHead(status, reason, given);
    }
    for (const [name, value] of entriesOf(given)) this.setHeader(name, value);
    editResponse(this, edits);
    return reason === undefined ? super.writeHead(status) : super.writeHead(status, reason);
  }
}

function entriesOf(headers: Headers | undefined): [string, OutgoingHttpHeader][] {
  if (headers === undefined) return [];
  if (!Array.isArray(headers))
    return Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[String(name), headers[at + 1] ?? '']] : []));
}
