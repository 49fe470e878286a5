import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';

/** Whom a connection trusts, and what it proves itself with; PEM. */
export type Trust = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'checkServerIdentity' | 'allowPartialTrustChain'
>;

export interface SecureInit {
  readonly method?: string | undefined;
  readonly body?: string | undefined;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** Like `fetch`, which takes no certificates. Rejects as that does: with the signal's reason, or with what went wrong. */
export async function secureFetch(
  url: string,
  { method = 'GET', body, headers, signal }: SecureInit,
  trust: Trust,
): Promise<Response> {
  const asked = request(url, { ...trust, method, headers: Object.fromEntries(headers), signal });
  asked.end(body);
  let answer: IncomingMessage;
  try {
    [answer] = (await once(asked, 'response')) as [IncomingMessage];
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  }
  const fields = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct))
    for (const value of values ?? []) fields.append(name, value);
  const status = answer.statusCode ?? 0;
  // The one status of an answer to these that has no content, which must then be null.
  const content = status === 204 ? null : streamOf(answer);
  return new Response(content, { status, headers: fields });
}

function streamOf(answer: IncomingMessage): ReadableStream<Uint8Array> {
  return ReadableStream.from<Uint8Array>(Readable.from(answer));
}
