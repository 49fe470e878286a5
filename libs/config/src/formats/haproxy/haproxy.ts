import type { Input } from '../../input/input.ts';
import { map, value } from '../draft.ts';
import type { Grammar } from '../formats.ts';
import { type GlobalSetting, Globals } from '../globals.ts';
import type { Remarks } from '../remarks.ts';
import { Backends } from './backends.ts';
import { Frontends } from './frontends.ts';
import { count, type Line, parseSections, type Section, time } from './sections.ts';
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
    for (const section of proxies) {
      if (section.kind !== 'backend' && !isStatistics(section)) frontends.add(section);
    }
    const pools = backends.pools();
    if (pools === undefined)
      remarks.fault('', placeAt(1, 1), 'there is no backend with servers that could be translated');
    return map(
      {
        listen: frontends.listen(),
        workers: workers(sections),
        timeouts: globals.section('timeouts'),
        limits: globals.section('limits'),
        pools,
        routes: frontends.routes(),
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
  else if (known.lost !== undefined && !isForwarded(args.map(({ text }) => text)))
    remarks.lost(name, at, known.lost);
  const setting = keyword === 'timeout' ? TIMEOUTS.get(first?.text ?? '') : undefined;
  const ms = time(keyword === 'hard-stop-after' ? first?.text : second?.text);
  if (keyword === 'timeout' && first !== undefined && ms === undefined)
    remarks.fault(pair, second?.at ?? at, 'this is not a time that HAProxy would take');
  if (setting !== undefined && ms !== undefined && ms > 0) globals.add(setting, ms, at, pair);
  if (keyword === 'hard-stop-after' && ms !== undefined) globals.add('shutdown', ms, at, keyword);
  const connections = count(first?.text);
  if (kind === 'global' && keyword === 'maxconn' && connections !== undefined)
    globals.add('connections', connections, at, keyword);
}

/** Headers that Usher sends by itself. */
function isForwarded([, name = '']: readonly string[]): boolean {
  return /^x-forwarded-(for|proto|port|host)$/i.test(name);
}

function workers(sections: readonly Section[]): Input | undefined {
  const line = sections
    .filter(({ kind }) => kind === 'global')
    .flatMap(({ lines }) => lines)
    .find(({ keyword }) => keyword === 'nbthread');
  const threads = count(line?.args[0]?.text);
  return threads === undefined ? undefined : value(Math.min(Math.max(threads, 1), WORKERS_MAX), line?.at);
}
