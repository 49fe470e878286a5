import { both, type Match } from './places.ts';
import type { Line, Word } from './sections.ts';

/** What a request is asked. */
type Test =
  | { readonly kind: 'place'; readonly any: readonly Match[] }
  | { readonly kind: 'client'; readonly networks: readonly Word[] }
  | { readonly kind: 'tls' }
  | { readonly kind: 'unknown' };

export interface Literal {
  readonly test: Test;
  readonly negated: boolean;
}

/** Met when all that one of its lines asks is. */
export type Condition = readonly (readonly Literal[])[];

export type Acls = ReadonlyMap<string, Test>;

const UNKNOWN: Test = { kind: 'unknown' };

/** The ACLs of a section by name. Lines with the same name are alternatives. */
export function aclsOf(lines: readonly Line[]): Acls {
  const acls = new Map<string, Test>();
  for (const { keyword, args } of lines) {
    const [name, ...expression] = args;
    if (keyword !== 'acl' || name === undefined) continue;
    const test = testOf(expression);
    const before = acls.get(name.text);
    acls.set(name.text, before === undefined ? test : either(before, test));
  }
  return acls;
}

function either(a: Test, b: Test): Test {
  if (a.kind === 'place' && b.kind === 'place') return { kind: 'place', any: [...a.any, ...b.any] };
  if (a.kind === 'client' && b.kind === 'client')
    return { kind: 'client', networks: [...a.networks, ...b.networks] };
  return UNKNOWN;
}

/** What stands behind `if`: names of ACLs, ACLs in braces, `!` before what must not be, and `or` between those that belong together. */
export function parseCondition(words: readonly Word[], acls: Acls): Condition {
  const lines: Literal[][] = [];
  let line: Literal[] = [];
  let negated = false;
  for (let index = 0; index < words.length; index++) {
    const { text } = words[index]!;
    if (text === 'or' || text === '||') {
      lines.push(line);
      line = [];
      continue;
    }
    const bare = text.replace(/^!/, '');
    if (bare !== text) negated = !negated;
    if (bare === '') continue;
    let test = acls.get(bare) ?? UNKNOWN;
    if (bare === '{') {
      const begin = index + 1;
      while (index < words.length && words[index]!.text !== '}') index++;
      test = index === words.length ? UNKNOWN : testOf(words.slice(begin, index));
    }
    line.push({ test, negated });
    negated = false;
  }
  return [...lines, line];
}

/** The hosts and paths that meet a condition; undefined when it asks anything else. */
export function placesOf(condition: Condition): readonly Match[] | undefined {
  const places: Match[] = [];
  for (const line of condition) {
    let all: readonly Match[] | undefined = [{}];
    for (const { test, negated } of line)
      all = test.kind === 'place' && !negated && all !== undefined ? both(all, test.any) : undefined;
    if (all === undefined) return undefined;
    places.push(...all);
  }
  return places;
}

/** The tests of hosts and paths, and how their values are compared when no flag says so. */
const HOST_TESTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'hdr(host)': 'str',
    'req.hdr(host)': 'str',
    'hdr_end(host)': 'end',
    'hdr_reg(host)': 'reg',
    'hdr_beg(host)': 'beg',
    'hdr_dom(host)': 'dom',
    ssl_fc_sni: 'str',
    ssl_fc_sni_end: 'end',
  }),
);
const PATH_TESTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    path: 'str',
    path_beg: 'beg',
    path_dir: 'dir',
    url_beg: 'beg',
  }),
);

/** One ACL: a test, its flags and its values. */
function testOf(words: readonly Word[]): Test {
  const [first, ...rest] = words;
  // What a converter does to the case or the port of a host does not matter.
  const name = (first?.text ?? '').toLowerCase().replace(/(,(lower|host_only|field\(1,:\)))+$/, '');
  if (name === 'ssl_fc' && rest.length === 0) return { kind: 'tls' };
  let way = HOST_TESTS.get(name) ?? PATH_TESTS.get(name);
  const values: Word[] = [];
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index]!;
    if (word.text === '-m') way = rest[++index]?.text;
    else if (word.text === '-i' || word.text === '--') continue;
    else if (word.text.startsWith('-') && values.length === 0) return UNKNOWN;
    else values.push(word);
  }
  if (values.length === 0) return UNKNOWN;
  if (name === 'src') return { kind: 'client', networks: values };
  const match = HOST_TESTS.has(name) ? hostMatch : PATH_TESTS.has(name) ? pathMatch : () => undefined;
  const any = values.flatMap(({ text }) => match(text, way) ?? []);
  return any.length === values.length ? { kind: 'place', any } : UNKNOWN;
}

function hostMatch(value: string, way: string | undefined): Match | undefined {
  const host = value.toLowerCase().replace(/:[0-9]+$/, '');
  if (!/^[a-z0-9._-]+$/.test(host)) return undefined;
  if (way === 'str') return { host };
  return way === 'end' && host.startsWith('.') ? { host: `*${host}` } : undefined;
}

function pathMatch(value: string, way: string | undefined): Match | undefined {
  if (!value.startsWith('/') || /[*?#\s]/.test(value)) return undefined;
  if (way === 'str') return { path: value };
  const bare = value.replace(/\/+$/, '');
  if (way === 'dir') return { path: `${bare}/*` };
  return way === 'beg' ? { path: `${bare}/*`, ...(bare === value && { meantMore: true }) } : undefined;
}
