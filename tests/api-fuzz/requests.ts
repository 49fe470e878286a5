import type { Chance } from '../fuzz/chance.ts';
import type { Api, Operation, Parameter } from './document.ts';
import type { Values } from './values.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** By which the answer is judged; undefined: the document says nothing of such a request. */
  readonly operation: Operation | undefined;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'] as const;
const TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/json; charset=utf-16',
  'x',
  '',
] as const;
const REVISIONS = [
  '"0"',
  '"1"',
  '*',
  '"999999999999999"',
  'W/"1"',
  '1',
  '""',
  '"1", "2"',
  'x'.repeat(500),
] as const;
const TARGETS = [
  '/',
  '/v1',
  '/v1/',
  '/v1/backends/',
  '/v1/backends/%',
  '/v1/backends/%2e%2e%2f',
  '/v1//status',
  '//v1/status',
  '/v1/backends/b1/../b2',
  '/v1/status?%ff=1',
  '/v1/backends/%00',
  '/V1/STATUS',
  '*',
  'http://localhost/v1/status',
] as const;
/** No header may have what ends one, nor anything beyond one byte. */
const UNFIT = /[^\t\u0020-\u007e\u0080-\u00ff]/g;

export interface Callers {
  /** Of whoever may do everything. */
  readonly mighty: string;
  /** One of each role. */
  readonly secrets: readonly string[];
}

/** Makes requests for the operations of an API: as documented, nearly so, and not at all. */
export class Requests {
  readonly #chance: Chance;
  readonly #values: Values;
  readonly #api: Api;
  readonly #callers: Callers;
  readonly #config: object;

  constructor(
    api: Api,
    {
      chance,
      values,
      callers,
      config,
    }: {
      readonly chance: Chance;
      readonly values: Values;
      readonly callers: Callers;
      /** A whole one that is in force. Hardly one would be made by chance. */
      readonly config: object;
    },
  ) {
    this.#config = config;
    this.#api = api;
    this.#chance = chance;
    this.#values = values;
    this.#callers = callers;
  }

  next(): FuzzRequest {
    const chance = this.#chance;
    this.#values.begin();
    const operation = chance.pick(this.#api.operations);
    const stray = chance.oneIn(30);
    const method = stray ? chance.pick(METHODS) : operation.method;
    const target = chance.oneIn(40) ? chance.pick(TARGETS) : this.#target(operation);
    const body = this.#body(operation);
    const headers = this.#headers(operation, body);
    const documented = method === operation.method && fits(target, operation.path);
    return { method, target, headers, body, operation: documented ? operation : undefined };
  }

  #target({ path, parameters }: Operation): string {
    // An id is that of what stands before it: `/v1/pools/{id}`.
    const filled = path.replaceAll(/(?:(\w+)\/)?\{(\w+)\}/g, (_, kind: string | undefined, name: string) => {
      const id = this.#encoded(this.#values.text(kind === 'pools' || kind === 'routes' ? kind : name));
      return kind === undefined ? id : `${kind}/${id}`;
    });
    const query = parameters.filter((parameter) => parameter.in === 'query' && this.#chance.oneIn(3));
    const pairs = query.flatMap((parameter) => this.#pair(parameter));
    if (this.#chance.oneIn(20))
      pairs.push(`${this.#encoded(this.#values.text())}=${this.#encoded(this.#values.text())}`);
    return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
  }

  #pair({ name, schema }: Parameter): string[] {
    const value = this.#values.of(schema, 0, name);
    const pair = `${name}=${this.#encoded(typeof value === 'string' ? value : JSON.stringify(value))}`;
    return this.#chance.oneIn(15) ? [pair, pair] : [pair];
  }

  /** Mostly encoded as it should be. What cannot be sent at all is. */
  #encoded(text: string): string {
    const whole = text.toWellFormed().slice(0, 2000);
    if (this.#chance.oneIn(30)) return whole.replaceAll(/[^\u0021-\u007e]/g, '%').replaceAll('#', '%');
    return encodeURIComponent(whole);
  }

  #body({ body: schema, name }: Operation): string | undefined {
    const chance = this.#chance;
    if (schema === undefined && !chance.oneIn(10)) return undefined;
    if (chance.oneIn(30))
      return chance.pick([
        '',
        '{',
        '[]',
        'null',
        '"x"',
        '1',
        '{"a":1,"a":2}',
        '{"__proto__":{}}',
        '\uFEFF{}',
        '[1,',
        '['.repeat(20_000),
        'x'.repeat(70_000),
      ]);
    const made = this.#values.of(schema ?? {});
    const text = JSON.stringify(name === 'applyConfig' ? this.#likeInForce(made) : made) ?? 'null';
    if (!chance.oneIn(30)) return text;
    const at = chance.below(text.length + 1);
    return text.slice(0, at) + chance.pick(['"', '}', ',', '\\u0000', '\uFFFD', '']) + text.slice(at + 1);
  }

  /** Mostly what is in force with something of what was made. */
  #likeInForce(made: unknown): unknown {
    if (typeof made !== 'object' || made === null || this.#chance.oneIn(4)) return made;
    const some = Object.entries(made).filter(() => this.#chance.oneIn(6));
    return { ...this.#config, ...Object.fromEntries(some) };
  }

  #headers({ parameters }: Operation, body: string | undefined): Record<string, string> {
    const chance = this.#chance;
    const headers: Record<string, string> = {};
    if (!chance.oneIn(25))
      headers['authorization'] = `Bearer ${chance.mostly([this.#callers.mighty], 3, this.#callers.secrets)}`;
    else
      headers['authorization'] = chance.pick([
        'Bearer',
        'Bearer x',
        'Basic eDp5',
        `Bearer ${'x'.repeat(3000)}`,
        '',
      ]);
    if (body !== undefined) headers['content-type'] = chance.mostly(['application/json'], 25, TYPES);
    for (const { in: place, name } of parameters) {
      if (place !== 'header' || !chance.oneIn(4)) continue;
      headers[name] =
        name === 'if-match'
          ? chance.pick(REVISIONS)
          : this.#values.text().replaceAll(UNFIT, '').slice(0, 4000);
    }
    return headers;
  }
}

/** Whether a target is one of a documented path, such as `/v1/backends/{id}/enable`, and not of another. */
function fits(target: string, path: string): boolean {
  const [segments, wanted] = [target.split('?', 1)[0]!.split('/'), path.split('/')];
  return (
    segments.length === wanted.length &&
    wanted.every((part, at) => part.startsWith('{') || part === segments[at])
  );
}
