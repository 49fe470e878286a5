import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Profile } from './profiles.ts';

export const CONNECTIONS = 64;

/** What wrk counted in one measurement. */
export interface Load {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Failed connects, reads and writes, timeouts, and answers that are not 2xx or 3xx. */
  readonly errors: number;
}

/** Puts load on a URL for a while, with one thread for each core. */
export async function load(
  wrk: string,
  cores: readonly number[],
  profile: Profile,
  url: string,
  seconds: number,
  directory: string,
): Promise<Load> {
  const script = path.join(directory, 'wrk.lua');
  writeFileSync(script, luaScript(profile));
  const { stdout } = await promisify(execFile)('taskset', [
    '-c',
    cores.join(','),
    wrk,
    `-t${cores.length}`,
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '-s',
    script,
    url,
  ]);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{'))) as Load;
}

/**
 * wrk has no way to send anything before the requests. But it asks for the text of each request when the connection can
 * be written, so the texts that it gets first, one for each connection, begin with what has to precede them; the very
 * first it only reads itself. Were that wrong, the proxy would answer with errors, which are counted.
 */
const luaPreamble = (preamble: string) => `
local asked, first, later = -1, nil, nil
request = function()
  if first == nil then
    later = wrk.format()
    first = ${JSON.stringify(preamble)} .. later
  end
  asked = asked + 1
  return (asked >= 1 and asked <= ${CONNECTIONS}) and first or later
end
`;

/** Sets the profile's headers and prints the sums as one line of JSON at the end. */
function luaScript({ requestHeaders, preamble }: Profile): string {
  const headers = Object.entries(requestHeaders).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  return `${headers.join('\n')}
${preamble === undefined ? '' : luaPreamble(preamble)}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}
