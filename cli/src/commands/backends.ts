import type { BackendView } from '@usher/admin';
import type { EndpointSettings } from '@usher/domain';
import { AdminClient } from '../admin-client.ts';
import {
  ADMIN_OPTIONS,
  CHANGE_OPTIONS,
  numberOption,
  onlyPositional,
  parse,
  parseMixed,
  placeOption,
} from '../arguments.ts';
import { change } from '../change.ts';
import { type CliCommand, EXIT_OK, type Io, UsageError } from '../io.ts';
import { table } from '../table.ts';

const SUBCOMMANDS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<number>>> = {
  list,
  add,
  update,
  remove: async (args, io) => await byName('backend.remove', args, io),
};

export const backends: CliCommand = {
  usage:
    "backends [list | add --pool P --id ID --url URL [--endpoint '/PATH/*=URL']… [--weight N] [--zone Z] [--place LATITUDE,LONGITUDE] | update ID [--url URL] [--endpoint '/PATH/*=URL'… | --endpoint none] [--weight N] [--zone Z] [--place LATITUDE,LONGITUDE | --place none] | remove ID] [--json]",
  async run(args, io) {
    const [name, ...rest] = args;
    if (name === undefined || name.startsWith('-')) return await list(args, io);
    const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
    if (subcommand === undefined) throw new UsageError(`backends: there is no ${name}`);
    return await subcommand(rest, io);
  },
};

export const drain: CliCommand = {
  usage: 'drain ID [--deadline SECONDS] [--reason TEXT] [--if-revision N]',
  async run(args, io) {
    const { values, positionals } = parseMixed(args, { ...CHANGE_OPTIONS, deadline: { type: 'string' } });
    const seconds = numberOption('deadline', values.deadline);
    const deadline = seconds === undefined ? {} : { deadlineMs: Math.round(seconds * 1000) };
    return await change(
      'backend.drain',
      { backend: onlyPositional(positionals, 'the backend'), ...deadline },
      values,
      io,
    );
  },
};

export const enable: CliCommand = {
  usage: 'enable ID [--reason TEXT] [--if-revision N]',
  run: async (args, io) => await byName('backend.enable', args, io),
};

export const disable: CliCommand = {
  usage: 'disable ID [--reason TEXT] [--if-revision N]',
  run: async (args, io) => await byName('backend.disable', args, io),
};

export const weight: CliCommand = {
  usage: 'weight ID N [--reason TEXT] [--if-revision N]',
  async run(args, io) {
    const { values, positionals } = parseMixed(args, CHANGE_OPTIONS);
    const [backend, share, ...more] = positionals;
    if (backend === undefined || share === undefined || more.length > 0)
      throw new UsageError('weight takes ID and N');
    return await change('backend.update', { backend, weight: numberOption('weight', share) }, values, io);
  },
};

async function list(args: readonly string[], io: Io): Promise<number> {
  const values = parse(args, { ...ADMIN_OPTIONS, pool: { type: 'string' } });
  const client = await AdminClient.find(values, io);
  const answer = await client.get<{ readonly backends: readonly BackendView[] }>('/v1/backends', 'backends');
  const rows = answer.backends.filter(({ pool }) => values.pool === undefined || pool === values.pool);
  if (values.json === true) {
    io.out(JSON.stringify(rows));
    return EXIT_OK;
  }
  const cells = rows.map((row) => [
    row.pool,
    row.id,
    row.url,
    String(row.weight),
    row.eligibility,
    row.health,
    row.breaker,
    String(row.requests),
    String(row.failures),
  ]);
  const header = ['POOL', 'BACKEND', 'URL', 'WEIGHT', 'STATE', 'HEALTH', 'BREAKER', 'REQUESTS', 'FAILURES'];
  for (const line of table(header, cells)) io.out(line);
  return EXIT_OK;
}

async function add(args: readonly string[], io: Io): Promise<number> {
  // For this verb --id is the backend's; the command gets an id of its own.
  const values = parse(args, {
    ...CHANGE_OPTIONS,
    pool: { type: 'string' },
    url: { type: 'string' },
    endpoint: { type: 'string', multiple: true },
    weight: { type: 'string' },
    zone: { type: 'string' },
    place: { type: 'string' },
  });
  const { pool, id, url, zone, ...rest } = values;
  if (pool === undefined || id === undefined || url === undefined) {
    throw new UsageError('backends add needs --pool, --id and --url');
  }
  const endpoints = values.endpoint?.map(endpointOf);
  const weight = numberOption('weight', values.weight) ?? 1;
  const settings = { id, pool, url, endpoints, weight, zone, place: placeOption('place', values.place) };
  return await change('backend.add', { settings }, { ...rest, id: undefined }, io);
}

/** In place of what is taken away. */
const NONE = 'none';

/** `/api/*=http://10.0.0.1:3001`: a path may contain an equals sign, a URL of a backend never does. */
function endpointOf(text: string): EndpointSettings {
  const equals = text.lastIndexOf('=');
  if (equals <= 0)
    throw new UsageError(
      `--endpoint takes a path and a URL such as /api/*=http://10.0.0.1:3001, not ${text}`,
    );
  return { path: text.slice(0, equals), url: text.slice(equals + 1) };
}

async function update(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseMixed(args, {
    ...CHANGE_OPTIONS,
    url: { type: 'string' },
    endpoint: { type: 'string', multiple: true },
    weight: { type: 'string' },
    zone: { type: 'string' },
    place: { type: 'string' },
  });
  const backend = onlyPositional(positionals, 'the backend');
  const { url, zone, endpoint, ...rest } = values;
  const share = numberOption('weight', values.weight);
  // All of them are named, or that there are none.
  const endpoints = endpoint?.join() === NONE ? [] : endpoint?.map(endpointOf);
  const place = values.place === NONE ? null : placeOption('place', values.place);
  return await change('backend.update', { backend, url, weight: share, zone, endpoints, place }, rest, io);
}

async function byName(
  name: 'backend.remove' | 'backend.enable' | 'backend.disable',
  args: readonly string[],
  io: Io,
): Promise<number> {
  const { values, positionals } = parseMixed(args, CHANGE_OPTIONS);
  return await change(name, { backend: onlyPositional(positionals, 'the backend') }, values, io);
}
