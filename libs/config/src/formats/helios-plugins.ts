import type { Entry, Input } from '../input/input.ts';
import { Refusal } from '../types/type.ts';
import { map, series, size, unlessEmpty, value } from './draft.ts';
import { headersOf, type WrittenHeader } from './header-edits.ts';
import type { HeliosFile as File } from './helios-keys.ts';
import { whole } from './kinds.ts';

/** The settings that Helios' chain of plugins becomes. */
interface Chain {
  /** For the one route. */
  readonly plugins: Input | undefined;
  readonly requestBody: Input | undefined;
  /** At the top of the file. */
  readonly policy: Readonly<Record<string, Input | undefined>>;
}

/** What `size_limit` allows unless it is told. */
const REQUEST_BODY_BYTES = 10_485_760;
const API_KEY_HEADER = 'X-API-Key';
const GZIP_LEVEL_MAX = 9;
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]*$/;

export function heliosPlugins(file: File): Chain {
  const plugins: Input[] = [];
  let requestBody: Input | undefined;
  let policy: Chain['policy'] = {};
  if (file.get('plugins.enabled').value) {
    for (const item of file.items('plugins.chain')) {
      const name = item.get('plugins.chain[].name').value ?? '';
      if (name === 'gzip') plugins.push(gzip(item));
      else if (name === 'size_limit') requestBody = sizeLimit(item);
      else if (name === 'custom-auth') policy = { ...policy, api_keys: apiKeys(item) };
      else if (name === 'headers') policy = { ...policy, ...headers(item) };
      else remarkOn(name, item);
    }
  }
  return { plugins: plugins.length === 0 ? undefined : series(plugins), requestBody, policy };
}

function remarkOn(name: string, item: File): void {
  const { at, path } = item.get('plugins.chain[].name');
  if (name === 'request-id') return;
  const message =
    name === 'logging'
      ? 'there is no log of requests; metrics count them'
      : `there is no plugin ${name}; one can be written for Fastify and named with \`file\``;
  item.remarks.lost(path, at, message);
}

function gzip(item: File): Input {
  const options = optionsOf(item);
  const bytes = wholeOption(item, options, 'min_size', 0);
  const level = options.get('level')?.value;
  const number = level?.kind === 'scalar' ? Number(level.text) : undefined;
  const inRange = number !== undefined && number >= 1 && number <= GZIP_LEVEL_MAX;
  // -1 is the usual one.
  if (level !== undefined && !inRange && number !== -1)
    item.remarks.changed('plugins.chain[].config.level', level.at, 'the level is the usual one');
  const name = item.get('plugins.chain[].name');
  return map({
    name: value('compression', name.at),
    codings: series([value('gzip', name.at)]),
    levels: inRange ? map({ gzip: value(number, level?.at) }) : undefined,
    min_size: bytes === undefined ? undefined : value(size(bytes), options.get('min_size')?.value.at),
    types: mediaTypes(item, options),
  });
}

/** In Helios each is the beginning of a media type. */
function mediaTypes(item: File, options: ReadonlyMap<string, Entry>): Input | undefined {
  const given = options.get('content_types')?.value;
  if (given?.kind !== 'list') return undefined;
  const types = given.items.flatMap((type) => {
    const text = type.kind === 'scalar' ? type.text : '';
    if (MEDIA_TYPE.test(text)) return [value(text.endsWith('/') ? `${text}*` : text, type.at)];
    item.remarks.lost('plugins.chain[].config.content_types', type.at, 'this is not a media type');
    return [];
  });
  return types.length === 0 ? undefined : series(types, given.at);
}

/** One key for everybody. Who it is is told to nobody. */
function apiKeys(item: File): Input | undefined {
  const { at, path } = item.get('plugins.chain[].name');
  const key = optionsOf(item).get('apiKey')?.value;
  if (key?.kind !== 'scalar' || key.text === '') {
    item.remarks.fault(path, at, 'custom-auth needs its apiKey; without it everybody would be let in');
    return undefined;
  }
  const keys = series([map({ name: value('helios', at), key: value(key.text, key.at) })]);
  return map({ header: value(API_KEY_HEADER, at), keys });
}

function headers(item: File): Record<string, Input | undefined> {
  const options = optionsOf(item);
  const set = (option: string): Input | undefined => {
    const path = `plugins.chain[].config.${option}`;
    const made = headersOf(headersIn(options.get(option)?.value), path, item.remarks);
    return unlessEmpty(map({ set: made }));
  };
  return { response_headers: set('set'), request_headers: set('request_set') };
}

function headersIn(given: Input | undefined): WrittenHeader[] {
  if (given?.kind !== 'map') return [];
  return Array.from(given.entries, ([name, { value: written }]) => ({
    name,
    text: written.kind === 'scalar' ? written.text : '',
    at: written.at,
  }));
}

function sizeLimit(item: File): Input {
  const options = optionsOf(item);
  const response = options.get('max_response_body');
  if (response !== undefined) {
    const path = 'plugins.chain[].config.max_response_body';
    item.remarks.lost(path, response.value.at, 'responses may be as large as the backend makes them');
  }
  const bytes = wholeOption(item, options, 'max_request_body', 1) ?? REQUEST_BODY_BYTES;
  return value(size(bytes), options.get('max_request_body')?.value.at);
}

function optionsOf(item: File): ReadonlyMap<string, Entry> {
  const config = item.input('plugins.chain[].config');
  return config?.kind === 'map' ? config.entries : new Map<string, Entry>();
}

function wholeOption(
  item: File,
  options: ReadonlyMap<string, Entry>,
  name: string,
  min: number,
): number | undefined {
  const option = options.get(name)?.value;
  if (option === undefined) return undefined;
  const parsed = whole(min).parse(option);
  if (!(parsed instanceof Refusal)) return parsed;
  item.remarks.fault(`plugins.chain[].config.${name}`, option.at, parsed.message);
  return undefined;
}
