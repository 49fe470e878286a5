import type { IncomingMessage, ServerResponse } from 'node:http';
import { pattern } from '../pattern.ts';
import { drink, pour } from '../pour.ts';

/** What a backend received. */
export interface Taken {
  readonly bytes: number;
  readonly sha256: string;
  readonly framing: string;
}

/** Sends `bytes` of the pattern, with their length or `chunked`. */
export async function sendBody(response: ServerResponse, query: URLSearchParams): Promise<void> {
  const bytes = Number(query.get('bytes'));
  // Not a type that compresses, so that the plugin passes it on as it is.
  response.setHeader('content-type', 'application/octet-stream');
  if (query.get('framing') === 'length') response.setHeader('content-length', bytes);
  await pour(pattern(bytes), response).catch(() => response.destroy());
}

/** Takes a body, at `rate` bytes a second if that is given, and answers with what came. */
export async function takeBody(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): Promise<void> {
  try {
    const framing = request.headers['transfer-encoding'] ?? 'length';
    const taken: Taken = { ...(await drink(request, Number(query.get('rate') ?? Infinity))), framing };
    response.end(JSON.stringify(taken));
  } catch {
    response.destroy();
  }
}
