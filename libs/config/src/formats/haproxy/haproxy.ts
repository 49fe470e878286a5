import type { Input } from '../../input/input.ts';
import { map, value } from '../draft.ts';
import { ELSEWHERE, sharing } from '../exposure.ts';
import type { Grammar } from '../formats.ts';
import { type GlobalSetting, Globals } from '../globals.ts';
import type { Remarks } from '../remarks.ts';
import { Backends } from './backends.ts';
import { doorsOf } from './doors.ts';
import { Frontends } from './frontends.ts';
import { countOf, type Line, parseSections, type Section, timeOf } from './sections.ts';
import { serversOf } from './servers.ts';
import { HAPROXY_KEYWORDS } from './table.ts';

/** A line that begins a section of HAProxy. */
const SECTION =
  /^(?:global|defaults(?:[ \t]+[\w.-]+)?|(?:frontend|backend|listen)[ \t]+[\w.:-]+)[ \t]*(?:#.*)?\r?$/m;
const WORKERS_MAX = 256;
const TIMEOUTS: ReadonlyMap<string, GlobalSetting> = new Map([
  ['connect', 'connect'],
  ['server', 'response'],
  ['client', 'body_idle'],
  ['http-request', 'request_header'],
  ['http-keep-alive', 'idle'],
  ['tunnel', 'upgrade_idle'],
]);
const PROXIES = new Set(['frontend', 'backend', 'listen']);

export const haproxy: Grammar = {
  name: 'haproxy',
  title: 'HAProxy',
  sniff: (text) => SECTION.test(text),
  translate(text, placeAt, remarks) {
    const sections = parseSections(text, placeAt, remarks);
    const globals = new Globals(remarks);
    for (const section of sections) {
      for (const line of section.lines) collect(section, line, globals, remarks);
    }
    const proxies = sections.filter((section) => isHttp(section, remarks));
    const backends = new Backends(
      proxies.filter((section) => section.kind !== 'frontend' && serversOf(section).length > 0),
      remarks,
    );
    const frontends = new Frontends(backends, remarks);
    const served = proxies
      .filter((section) => section.kind !== 'backend' && !isStatistics(section))
      .map((section) => ({ section, at: section.at, doors: doorsOf(section) }));
    const shared = sharing(served, ({ section }) => remarks.lost(section.kind, section.at, ELSEWHERE));
    for (const { section } of shared) frontends.add(section);
    const pools = backends.pools();
    const [redirect, routes] = frontends.routes();
    if (pools === undefined)
      remarks.fault('', placeAt(1, 1), 'there is no backend with servers that could be translated');
    return map(
      {
        listen: frontends.listen(),
        workers: workers(sections, remarks),
        timeouts: globals.section('timeouts'),
        limits: globals.section('limits'),
        pools,
        redirect,
        routes,
      },
      placeAt(1, 1),
    );
  },
};

function isHttp(section: Section, remarks: Remarks): boolean {
  if (!PROXIES.has(section.kind)) {
    if (!['global', 'defaults'].includes(section.kind))
      remarks.lost(section.kind, section.at, 'Usher has no such section');
    return false;
  }
  const mode = [...section.defaults, ...section.lines].findLast(({ keyword }) => keyword === 'mode');
  // HAProxy's own default is TCP, and yet files for HTTP are the usual ones that come here.
  if (mode === undefined || mode.args[0]?.text === 'http') return true;
  remarks.lost(section.kind, section.at, `it is of the mode ${mode.args[0]?.text}; Usher speaks HTTP`);
  return false;
}

/** A section for the page of statistics alone. */
function isStatistics(section: Section): boolean {
  const words = new Set(section.lines.map(({ keyword }) => keyword));
  return (
    words.has('stats') && !words.has('server') && !words.has('use_backend') && !words.has('default_backend')
  );
}

/** What Usher has once for all, and a word about everything that is not known. */
function collect({ kind }: Section, { keyword, args, at }: Line, globals: Globals, remarks: Remarks): void {
  if (kind !== 'global' && kind !== 'defaults' && !PROXIES.has(kind)) return;
  const [first, second] = args;
  const pair = `${keyword} ${first?.text ?? ''}`;
  const name = Object.hasOwn(HAPROXY_KEYWORDS, pair) ? pair : keyword;
  const known = Object.hasOwn(HAPROXY_KEYWORDS, name) ? HAPROXY_KEYWORDS[name] : undefined;
  if (known === undefined) remarks.lost(pair.trim(), at, 'Usher has nothing for it');
  else if (known.lost !== undefined) remarks[known.isGuard === true ? 'open' : 'lost'](name, at, known.lost);
  if (keyword === 'timeout') {
    if (second === undefined) remarks.fault(pair, at, 'its time is missing');
    const setting = TIMEOUTS.get(first?.text ?? '');
    const ms = timeOf(second, pair, remarks);
    if (setting !== undefined && ms !== undefined && ms > 0) globals.add(setting, ms, at, pair);
  } else if (keyword === 'hard-stop-after') {
    const ms = timeOf(first, keyword, remarks);
    if (ms !== undefined) globals.add('shutdown', ms, at, keyword);
  } else if (kind === 'global' && keyword === 'maxconn') {
    const connections = countOf(first, keyword, remarks);
    if (connections !== undefined) globals.add('connections', connections, at, keyword);
  } else if (keyword === 'server' && second === undefined)
    remarks.fault(keyword, at, 'a server has a name and an address');
}

function workers(sections: readonly Section[], remarks: Remarks): Input | undefined {
  const line = sections
    .filter(({ kind }) => kind === 'global')
    .flatMap(({ lines }) => lines)
    .find(({ keyword }) => keyword === 'nbthread');
  const threads = countOf(line?.args[0], 'nbthread', remarks);
  return threads === undefined ? undefined : value(Math.min(Math.max(threads, 1), WORKERS_MAX), line?.at);
}
