/** A response head as HTTP/1.1 writes it, latin1. */
export interface ResponseText {
  readonly text: string;
  /** The body that follows has to be put into chunks. */
  readonly chunked: boolean;
}

const COLON = 58;

/**
 * Writes the header list of an HTTP/2 response as the head of HTTP/1.1 that says the same. `fields`: names and values in
 * turn; `ended`: no body follows; `toHead`: it answers a HEAD request.
 */
export function responseText(fields: readonly string[], ended = true, toHead = false): ResponseText {
  let status = '';
  let measured = false;
  let lines = '';
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (name.charCodeAt(0) === COLON) {
      if (name === ':status') status = value;
      continue;
    }
    if (name === 'content-length') measured = true;
    lines += `${name}: ${value}\r\n`;
  }
  const bodiless = status.startsWith('1') || status === '204' || status === '304';
  const chunked = !bodiless && !measured && !ended;
  if (chunked) lines += 'transfer-encoding: chunked\r\n';
  else if (!bodiless && !measured && !toHead) lines += 'content-length: 0\r\n';
  return { text: `HTTP/1.1 ${status} \r\n${lines}\r\n`, chunked };
}

/** Trailers as lines with their ends. */
export function trailerLines(fields: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return lines;
}
