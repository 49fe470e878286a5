import type { Entry, Input } from '../input/input.ts';
import { Refusal } from '../types/type.ts';
import { map, series, size, value } from './draft.ts';
import type { HeliosFile as File } from './helios-keys.ts';
import { whole } from './kinds.ts';

/** The settings that Helios' chain of plugins becomes. */
interface Chain {
  readonly plugins: Input | undefined;
  readonly requestBody: Input | undefined;
}

/** What `size_limit` allows unless it is told. */
const REQUEST_BODY_BYTES = 10_485_760;
const GZIP_OPTIONS_LOST: Readonly<Record<string, string>> = {
  level: 'the level is that of the plugin',
  content_types: 'the plugin knows by itself what is worth compressing',
};

export function heliosPlugins(file: File): Chain {
  const plugins: Input[] = [];
  let requestBody: Input | undefined;
  if (file.get('plugins.enabled').value) {
    for (const item of file.items('plugins.chain')) {
      const name = item.get('plugins.chain[].name').value ?? '';
      if (name === 'gzip') plugins.push(gzip(item));
      else if (name === 'size_limit') requestBody = sizeLimit(item);
      else remarkOn(name, item);
    }
  }
  return { plugins: plugins.length === 0 ? undefined : series(plugins), requestBody };
}

function remarkOn(name: string, item: File): void {
  const { at, path } = item.get('plugins.chain[].name');
  if (name === 'request-id') return;
  if (name === 'custom-auth') {
    const message =
      'Usher has no API keys for traffic yet, and without this plugin everybody would be let in; take it out of the chain where another proxy asks for the key';
    item.remarks.fault(path, at, message);
    return;
  }
  const message =
    name === 'logging'
      ? 'there is no log of requests; metrics count them'
      : `there is no plugin ${name}; one can be written for Fastify and named with \`file\``;
  item.remarks.lost(path, at, message);
}

function gzip(item: File): Input {
  const options = optionsOf(item);
  for (const [name, message] of Object.entries(GZIP_OPTIONS_LOST)) {
    const option = options.get(name);
    if (option !== undefined) item.remarks.lost(`plugins.chain[].config.${name}`, option.value.at, message);
  }
  const bytes = wholeOption(item, options, 'min_size', 0);
  const name = item.get('plugins.chain[].name');
  return map({
    name: value('gzip', name.at),
    min_size: bytes === undefined ? undefined : value(size(bytes), options.get('min_size')?.value.at),
  });
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
