import http from 'node:http';
import { Chance } from '../fuzz/chance.ts';
import { readApi } from './document.ts';
import { type FuzzRequest, Requests } from './requests.ts';
import { Values } from './values.ts';

const ANSWER_MS_MAX = 15_000;
/** Answers are read so far: one may follow the log for ever. */
const ANSWER_CHARS_MAX = 2_000_000;
const FOLLOWS_MS = 50;
const FINDINGS_MAX = 20;
const AT_ONCE = 8;

export interface FuzzOptions {
  /** Of the admin API. */
  readonly url: string;
  /** Tokens of callers with different roles; the first may do everything. */
  readonly secrets: readonly string[];
  readonly requests: number;
  readonly seed: number;
  readonly onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  requests: number;
  /** How often each status was answered. */
  readonly statuses: Map<number, number>;
  /** What is wrong, with the request that showed it. */
  readonly findings: { readonly index: number; readonly what: string; readonly request: FuzzRequest }[];
  /** Of the documented operations, those that were carried out at least once. */
  readonly succeeded: Set<string>;
  /** Names of those that were not. */
  readonly missed: () => string[];
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/**
 * Sends so many requests made from the API's own document. Wrong is: an answer with 5xx, one that the document does not
 * know, or none at all. Equal seeds make equal requests.
 */
export async function fuzzApi({
  url,
  secrets,
  requests: count,
  seed,
  onProgress,
}: FuzzOptions): Promise<FuzzReport> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const headers = { authorization: `Bearer ${secrets[0] ?? ''}` };
  const get = async (target: string): Promise<unknown> => {
    const request = { method: 'GET', target, headers, body: undefined, operation: undefined };
    return JSON.parse((await send(url, request, agent)).text);
  };
  const api = readApi(await get('/v1/openapi.json'));
  const { config } = (await get('/v1/config')) as { readonly config: object };
  const chance = new Chance(seed);
  const values = new Values(chance, api);
  const source = new Requests(api, {
    chance,
    values,
    callers: { mighty: secrets[0] ?? '', secrets },
    config,
  });
  const report: FuzzReport = {
    requests: 0,
    statuses: new Map(),
    findings: [],
    succeeded: new Set(),
    missed: () => api.operations.map(({ name }) => name).filter((name) => !report.succeeded.has(name)),
  };
  const work = async (): Promise<void> => {
    while (report.requests < count && report.findings.length < FINDINGS_MAX) {
      const index = report.requests++;
      const request = source.next();
      const what = await judge(url, request, { agent, report });
      if (what !== undefined) report.findings.push({ index, what, request });
      onProgress?.(report);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  agent.destroy();
  return report;
}

async function judge(
  url: string,
  request: FuzzRequest,
  { agent, report }: { readonly agent: http.Agent; readonly report: FuzzReport },
): Promise<string | undefined> {
  let answer: Answer;
  try {
    answer = await send(url, request, agent);
  } catch (error) {
    return `no answer: ${(error as Error).message}`;
  }
  const { status, type, text } = answer;
  report.statuses.set(status, (report.statuses.get(status) ?? 0) + 1);
  if (status >= 500) return `${status}: ${text.slice(0, 300)}`;
  if (request.operation === undefined || request.method === 'HEAD') return undefined;
  if (status < 300) report.succeeded.add(request.operation.name);
  return request.operation.judge(status, type, text);
}

async function send(
  url: string,
  { method, target, headers, body }: FuzzRequest,
  agent: http.Agent,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { hostname, port } = new URL(url);
  // Node would send the body of a HEAD request without saying how long it is.
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const request = http.request(
    { host: hostname, port, method, path: target, headers: { ...headers, ...length }, agent },
    (response) => {
      let text = '';
      const { statusCode: status = 0 } = response;
      const type = (response.headers['content-type'] ?? '').split(';')[0] ?? '';
      const done = () => resolve({ status, type, text });
      // Whoever follows the log is answered for as long as they like.
      const timer = type.endsWith('ndjson') ? setTimeout(() => response.destroy(), FOLLOWS_MS) : undefined;
      response.setEncoding('utf8').on('data', (part: string) => {
        if (text.length < ANSWER_CHARS_MAX) text += part;
      });
      response.on('close', () => {
        clearTimeout(timer);
        done();
      });
    },
  );
  request.setTimeout(ANSWER_MS_MAX, () => request.destroy(new Error(`none within ${ANSWER_MS_MAX} ms`)));
  request.on('error', reject);
  request.end(body);
  return await promise;
}
