import type { Line, Word } from './sections.ts';

/** One way to meet a condition; what is left out may be anything. */
interface Match {
  readonly host?: string;
  readonly path?: string;
}

/** Any of these meets it; undefined when it cannot be said by host and path. */
export type Condition = readonly Match[] | undefined;

/** More ways than a person writes down. */
const MATCHES_MAX = 1000;

/** The ACLs of a section by name. Lines with the same name are alternatives. */
export function aclsOf(lines: readonly Line[]): ReadonlyMap<string, Condition> {
  const acls = new Map<string, Condition>();
  for (const { keyword, args } of lines) {
    const [name, ...expression] = args;
    if (keyword !== 'acl' || name === undefined) continue;
    const condition = conditionOf(expression);
    const before = acls.has(name.text) ? acls.get(name.text) : [];
    acls.set(
      name.text,
      before === undefined || condition === undefined ? undefined : [...before, ...condition],
    );
  }
  return acls;
}

/** What stands behind `if`: names of ACLs, ACLs in braces, and `or` between those that belong together. */
export function parseCondition(words: readonly Word[], acls: ReadonlyMap<string, Condition>): Condition {
  let any: readonly Match[] = [];
  let all: Condition = [{}];
  for (let index = 0; index < words.length; index++) {
    const { text } = words[index]!;
    if (text === 'or' || text === '||') {
      if (all === undefined) return undefined;
      any = [...any, ...all];
      all = [{}];
      continue;
    }
    let condition: Condition;
    if (text === '{') {
      const end = words.findIndex((word, at) => at > index && word.text === '}');
      if (end === -1) return undefined;
      condition = conditionOf(words.slice(index + 1, end));
      index = end;
    } else condition = acls.get(text);
    all = both(all, condition);
  }
  return all === undefined ? undefined : [...any, ...all];
}

function both(a: Condition, b: Condition): Condition {
  if (a === undefined || b === undefined || a.length * b.length > MATCHES_MAX) return undefined;
  const matches: Match[] = [];
  for (const one of a) {
    for (const other of b) {
      const clash =
        (one.host !== undefined && other.host !== undefined) ||
        (one.path !== undefined && other.path !== undefined);
      if (clash) return undefined;
      matches.push({ ...one, ...other });
    }
  }
  return matches;
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
    path_dir: 'beg',
    url_beg: 'beg',
  }),
);

/** One ACL: a test, its flags and its values. */
function conditionOf(words: readonly Word[]): Condition {
  const [first, ...rest] = words.map(({ text }) => text);
  // What a converter does to the case or the port of a host does not matter.
  const test = (first ?? '').toLowerCase().replace(/(,(lower|host_only|field\(1,:\)))+$/, '');
  let way = HOST_TESTS.get(test) ?? PATH_TESTS.get(test);
  const values: string[] = [];
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index]!;
    if (word === '-m') way = rest[++index];
    else if (word === '-i' || word === '--') continue;
    else if (word.startsWith('-') && values.length === 0) return undefined;
    else values.push(word);
  }
  const matches = HOST_TESTS.has(test)
    ? values.map((value) => hostMatch(value, way))
    : values.map((value) => pathMatch(value, way));
  if (!HOST_TESTS.has(test) && !PATH_TESTS.has(test)) return undefined;
  return matches.length > 0 && matches.every((match) => match !== undefined) ? matches : undefined;
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
  return way === 'beg' ? { path: `${value.replace(/\/+$/, '')}/*` } : undefined;
}
