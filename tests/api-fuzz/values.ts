import type { Chance } from '../fuzz/chance.ts';
import type { Api, Schema } from './document.ts';

/** Names that mean something in the fleet under test, so that many requests get past the first check. */
const NAMES = ['b1', 'b2', 'b3', 'web', 'gpu', 'fuzz', 'ops', 'route-1', 'nobody'] as const;
const TEXTS = [
  'http://127.0.0.1:9',
  'https://[::1]:1',
  '/',
  '/api/*',
  '/v1',
  'p2c',
  'example.com',
  '10.0.0.1',
  '30s',
  '*',
] as const;
/** What makes sense under some names. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  url: ['http://127.0.0.1:9', 'https://[::1]:1', 'http://example.com/a?b=1'],
  path: ['/', '/api/*', '/gpu/x'],
  host: ['example.com', '*.example.com'],
  pool: ['web', 'gpu'],
  // Whose path it is: of those that are there, and of those that were added.
  pools: ['web', 'gpu', 'gpu', 'gpu', 'fuzz', ...NAMES],
  routes: ['route-1', 'route-2', 'route-2', 'route-2', ...NAMES],
  id: NAMES,
  client_ip: ['10.0.0.1', '::1'],
  method: ['GET', 'POST'],
  trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
};
/** Numbers that have a range under some names, which the document does not say. */
const MEANT_NUMBERS: readonly (readonly [name: RegExp, numbers: readonly number[]])[] = [
  [/^headerBytes$/, [1024, 65_536]],
  [/^headerCount$/, [10, 100]],
  [/^(connections|fieldBytesMax)$/, [1, 100]],
  [/Ms$/, [1000, 10_000]],
];
/** What of an object nearly always is needed, although it may be left out. */
const NEEDED = new Set(['pool']);
const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  '\u2028',
  '🚦',
  '\uD800',
  '../..',
  '%00',
  '-',
  '__proto__',
  'constructor',
  'x'.repeat(70),
  'y'.repeat(20_000),
  '\r\nx: y',
  'null',
  '1e999',
] as const;
const NUMBERS = [0, 1, 2, 10, 100, 0.5] as const;
const ODD_NUMBERS = [-1, -0, 1001, 2 ** 31, 2 ** 53, 1e308, 1e-320, 0.1 + 0.2] as const;
const STRANGERS = [
  null,
  true,
  false,
  0,
  -1,
  '',
  'x',
  [],
  {},
  [[[[]]]],
  { a: { b: { c: {} } } },
  1e21,
] as const;
const DEPTH_MAX = 6;
const LIST_MAX = 3;

/** Makes values that fit a schema, or nearly. */
export class Values {
  readonly #chance: Chance;
  readonly #api: Api;
  /** Half of the requests are to be as the document asks, so that what is behind the checks is reached. */
  #odd = false;
  /** Half of them have about one of an object's optional members and at most one in a list: of many, some do not go together. */
  #few = false;

  constructor(chance: Chance, api: Api) {
    this.#chance = chance;
    this.#api = api;
  }

  /** From here on it is about another request. */
  begin(): void {
    this.#odd = this.#chance.oneIn(2);
    this.#few = this.#chance.oneIn(2);
  }

  text(name = ''): string {
    const usual = MEANT[name] ?? (this.#chance.oneIn(3) ? TEXTS : NAMES);
    return this.#odd ? this.#chance.mostly<string>(usual, 12, ODD_TEXTS) : this.#chance.pick(usual);
  }

  #once(count: number): boolean {
    return this.#odd && this.#chance.oneIn(count);
  }

  /** A value that the schema allows, or once in a while one that it does not. */
  of(schema: Schema, depth = 0, name = ''): unknown {
    const chance = this.#chance;
    if (depth > DEPTH_MAX || this.#once(40)) return chance.pick<unknown>(STRANGERS);
    const { const: constant, enum: values, anyOf, oneOf, type, items, pattern } = this.#api.resolve(schema);
    if (constant !== undefined) return constant;
    if (values !== undefined) return this.#once(20) ? this.text() : chance.pick(values);
    const variants = anyOf ?? oneOf;
    if (variants !== undefined) return this.of(chance.pick(variants), depth + 1, name);
    const kind = typeof type === 'string' ? type : chance.pick(type ?? ['string', 'object', 'number']);
    if (kind === 'object') return this.#object(this.#api.resolve(schema), depth);
    if (kind === 'array') return this.#list(items ?? {}, depth, name);
    if (kind === 'boolean') return chance.oneIn(2);
    if (kind === 'null') return null;
    if (kind === 'integer' || kind === 'number') return this.#number(kind === 'integer', name);
    return pattern === undefined ? this.text(name) : this.#named(name);
  }

  /** Where only a name will do. */
  #named(name: string): string {
    const usual = MEANT[name] ?? NAMES;
    return this.#odd ? this.#chance.mostly<string>(usual, 10, ODD_TEXTS) : this.#chance.pick(usual);
  }

  #number(whole: boolean, name: string): number {
    const usual = MEANT_NUMBERS.find(([meant]) => meant.test(name))?.[1] ?? NUMBERS;
    const number = this.#odd
      ? this.#chance.mostly<number>(usual, 10, [...NUMBERS, ...ODD_NUMBERS])
      : this.#chance.pick(usual);
    return whole && !this.#once(20) ? Math.trunc(number) : number;
  }

  #list(items: Schema, depth: number, name: string): unknown[] {
    const length = this.#once(60) ? 200 : this.#chance.below(this.#few ? 2 : LIST_MAX + 1);
    return Array.from({ length }, () => this.of(items, depth + 1, name));
  }

  #object({ properties = {}, required = [], additionalProperties }: Schema, depth: number): object {
    const chance = this.#chance;
    const optional = Object.keys(properties).length - required.length;
    const seldom = this.#few ? Math.max(2, optional) : 2;
    const entries = Object.entries(properties).flatMap(([name, schema]): [string, unknown][] => {
      const wanted = required.includes(name) || NEEDED.has(name) ? !this.#once(30) : chance.oneIn(seldom);
      return wanted ? [[name, this.of(schema, depth + 1, name)]] : [];
    });
    if (typeof additionalProperties === 'object')
      for (let left = chance.below(LIST_MAX); left > 0; left--)
        entries.push([this.text(), this.of(additionalProperties, depth + 1)]);
    if (this.#once(25)) entries.push([this.text(), chance.pick<unknown>(STRANGERS)]);
    // Of many commands hardly one would get data that is its own.
    const name = entries.find(([key]) => key === 'name')?.[1];
    const meant = properties['data']?.anyOf?.find(({ description }) => description === name);
    if (meant !== undefined && !this.#once(10)) entries.push(['data', this.of(meant, depth + 1)]);
    // Not by assignment, which would set a prototype where a key is called so.
    return Object.fromEntries(entries);
  }
}
