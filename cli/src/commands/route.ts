import {
  ERRORS,
  type ExplainedArm,
  type ExplainedBackend,
  type Explanation,
  type Measures,
  type PolicyVerdict,
} from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import { placeOption } from '../arguments.ts';
import { EXIT_OK, type Io, type Run, UsageError } from '../io.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/fleet.ts';

export const routeExplain: Run<typeof verbs.routeExplain> = async ({ options, arguments: { URL } }, io) => {
  const { method, url } = aimOf(URL);
  if (method !== undefined && options.method !== undefined) throw new UsageError('the method is given twice');
  const question = {
    method: options.method ?? method,
    url,
    headers: headersOf(options.header),
    tier: options.tier,
    client_ip: options['client-ip'],
    ...placeOf(options.from),
    pool: options.pool,
    gateway: options.gateway,
  };
  const client = await AdminClient.find(options, io);
  const explanation = await client.post<Explanation>('/v1/route', question, 'candidates');
  if (options.json) io.out(JSON.stringify(explanation));
  else print(explanation, io);
  return EXIT_OK;
};

/** `GET https://…` or the URL alone. */
function aimOf(text: string): { readonly method: string | undefined; readonly url: string } {
  const [first = '', second, ...more] = text.trim().split(/\s+/);
  if (more.length > 0) throw new UsageError(`expected a method and a URL, not ${text}`);
  return second === undefined ? { method: undefined, url: first } : { method: first, url: second };
}

function headersOf(lines: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of lines) {
    const [, name, value = ''] = /^([^:]+):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    if (name === undefined) throw new UsageError(`-H takes a header such as 'X-User: mara', not ${line}`);
    (headers[name] ??= []).push(value);
  }
  return headers;
}

function placeOf(text: string | undefined): { client_lat?: number; client_lon?: number } {
  const place = placeOption('from', text);
  return place === undefined ? {} : { client_lat: place.latitude, client_lon: place.longitude };
}

const AMONG: Readonly<Record<Exclude<Explanation['among'], null>, string>> = {
  eligible: 'the eligible',
  panic: 'all that no operator took out: too few are eligible',
  last_resort: 'last resorts: nobody is eligible',
  despite_breakers: 'all against whom only breakers and ejections speak: nobody else is left',
  unbroken: 'those that are ejected, or that nobody has probed yet: nobody is eligible',
};

function print(explanation: Explanation, io: Io): void {
  const { gateway, worker, position, route: id, plugins, pool, strategy, key, tier, from } = explanation;
  io.out(`gateway ${gateway}, worker ${worker}, position ${position}`);
  const header = ['ROUTE', 'HOST', 'PATH', 'POOL', 'VERDICT'];
  const routes = explanation.routes.map((each) => [
    each.route,
    each.host ?? '*',
    each.path,
    each.pool ?? '-',
    each.verdict,
  ]);
  if (routes.length > 0) for (const line of table(header, routes)) io.out(line);
  if (pool !== null) {
    io.out(`pool ${pool}${id === null ? '' : ` by route ${id}`}, strategy ${strategy ?? ''}`);
    if (explanation.arm !== null) io.out(armLine(explanation.arm));
    if (plugins.length > 0) io.out(`plugins see it first: ${plugins.join(', ')}`);
    if (tier !== null) io.out(`tier ${tier.name} (${tier.by}), reserve ${explanation.reserve}`);
    if (from !== null) io.out(`client at ${from.latitude},${from.longitude}`);
    if (key !== null) io.out(`hash of ${key.by}${key.name === undefined ? '' : ` ${key.name}`}: ${key.hash}`);
  }
  if (explanation.policy !== null) printPolicy(explanation.policy, io);
  if (explanation.session !== null) io.out(sessionLine(explanation.session));
  if (explanation.among !== null) io.out(`chosen among ${AMONG[explanation.among]}`);
  printCandidates(explanation, io);
  io.out(verdict(explanation));
}

function printPolicy({ answered, status, location, rewritten }: PolicyVerdict, io: Io): void {
  if (location !== null) io.out(`redirect to ${location}`);
  else if (answered !== null)
    io.out(`${(status ?? 0) < 400 ? 'answered' : 'refused'} by ${POLICIES[answered]}`);
  if (rewritten !== null) io.out(`rewritten to ${rewritten}`);
}

const POLICIES: Readonly<Record<NonNullable<PolicyVerdict['answered']>, string>> = {
  client: 'clients',
  redirect: 'redirect',
  preflight: 'cors',
  key: 'api_keys',
  token: 'jwt',
};

function armLine({ by, pool, canary, point, settings }: ExplainedArm): string {
  const { canaries = [], split } = settings;
  const asked = canaries[canary ?? -1];
  if (asked !== undefined)
    return `${pool} as asked for by the ${asked.by} ${asked.name}${asked.value === undefined ? '' : `: ${asked.value}`}`;
  if (point === null) return `${pool} as nothing asks for another pool`;
  const shares = (split?.pools ?? []).map((each) => `${each.pool} ${rounded(100 * each.share)}%`).join(', ');
  const name = split?.by !== undefined && 'name' in split.by ? ` ${split.by.name}` : '';
  const decisive = split?.by === undefined ? 'chance' : `the hash of ${split.by.by}${name}`;
  return `${pool} by ${by === 'rest' ? 'what is left of ' : ''}the split (${shares}): ${decisive} is at ${rounded(100 * point)}%`;
}

function sessionLine({ by, verdict, backend }: Exclude<Explanation['session'], null>): string {
  const told = {
    stays: `stays at ${backend}`,
    leaves: `leaves ${backend}, which may not get it`,
    begins: 'begins with it',
    asks: 'is not known to the worker; the store is asked, and if it knows none it goes by the strategy',
  };
  return `session by ${by} ${told[verdict]}`;
}

function printCandidates({ candidates, chosen }: Explanation, io: Io): void {
  if (candidates.length === 0) return;
  const header = ['', 'BACKEND', 'URL', 'REASON', 'WEIGHT', 'IN FLIGHT', 'GOES BY'];
  const rows = candidates.map((each) => [
    each.backend === chosen ? '*' : '',
    each.backend,
    each.url,
    reasonOf(each),
    String(rounded(each.weight)),
    each.maxConnections === undefined ? String(each.inFlight) : `${each.inFlight}/${each.maxConnections}`,
    measured(each.measures),
  ]);
  for (const line of table(header, rows)) io.out(line);
}

function reasonOf({ reason, short }: ExplainedBackend): string {
  return short === undefined ? reason : `${reason}: ${short.dimension} ${short.needed} > ${short.free}`;
}

function measured(measures: Measures): string {
  return Object.entries(measures)
    .map(([name, value]) => `${name} ${rounded(value)}`)
    .join(', ');
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function verdict({ outcome, chosen, detail, policy }: Explanation): string {
  if (outcome === 'answered') return `is answered with ${policy?.status}`;
  if (outcome === 'backend') return `goes to ${chosen}`;
  if (outcome === 'waits') return 'waits until a backend has room';
  const { status, title } = ERRORS[outcome];
  return `is answered with ${status} ${outcome}: ${detail === '' ? title : detail}`;
}
