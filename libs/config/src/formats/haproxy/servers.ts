import type { Input } from '../../input/input.ts';
import { duration, map, value, values } from '../draft.ts';
import type { Remarks } from '../remarks.ts';
import {
  countOf,
  hasOption,
  type Line,
  linesOf,
  optionOf,
  type Section,
  timeOf,
  type Word,
} from './sections.ts';

const INTERVAL_MS = 2000;

/** A server of a backend with the options of the `default-server` in front of it. */
export interface Server {
  readonly name: Word;
  readonly address: Word;
  readonly options: readonly Word[];
}

export function serversOf(section: Section): Server[] {
  const servers: Server[] = [];
  let inherited: readonly Word[] = section.defaults.filter(isDefault).flatMap(({ args }) => args);
  for (const line of section.lines) {
    if (isDefault(line)) inherited = [...line.args, ...inherited];
    const [name, address, ...options] = line.args;
    if (line.keyword === 'server' && name !== undefined && address !== undefined)
      servers.push({ name, address, options: [...options, ...inherited] });
  }
  return servers;
}

function isDefault({ keyword }: Line): boolean {
  return keyword === 'default-server';
}

/** Where a server is; undefined, with a word about it, when it has no port of its own. */
export function urlOf({ address, options }: Server, remarks: Remarks): Input | undefined {
  const match = /^(?:ipv[46]@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/.exec(address.text);
  if (match === null) {
    remarks.lost('server', address.at, 'backends are reached by a host and a port');
    return undefined;
  }
  return value(`${hasOption(options, 'ssl') ? 'https' : 'http'}://${match[1]}:${match[2]}`, address.at);
}

export function serverInput(server: Server, id: string, url: Input, remarks: Remarks): Input {
  const { name, options } = server;
  const spare = options.find(({ text }) => text === 'backup' || text === 'disabled');
  if (spare !== undefined) {
    const message =
      'there are no spare backends: it has weight 0 and is never chosen, until `usher weight` gives it one';
    remarks.changed(spare.text, spare.at, message);
  }
  const number = (option: string) => {
    const word = optionOf(options, option);
    const amount = countOf(word, option, remarks);
    return amount === undefined ? undefined : value(amount, word?.at);
  };
  const weight = spare === undefined ? number('weight') : value(0, spare.at);
  return map({ id: value(id, name.at), url, weight, max_connections: number('maxconn') }, name.at);
}

/** The probes of a backend are those of its first server that has any. */
export function healthOf(section: Section, servers: readonly Server[], remarks: Remarks): Input {
  const checked = servers.find(({ options }) => hasOption(options, 'check'));
  if (checked === undefined) return map({ type: value('none') });
  const [http] = linesOf(section, 'option', 'httpchk');
  const [inter, fall, rise] = ['inter', 'fall', 'rise'].map((name) => optionOf(checked.options, name));
  const interval = timeOf(inter, 'inter', remarks) ?? INTERVAL_MS;
  const [limit] = linesOf(section, 'timeout', 'check');
  const timeout = timeOf(limit?.args[1], 'timeout check', remarks);
  if (limit !== undefined && timeout !== undefined && timeout > interval)
    remarks.changed(
      'timeout check',
      limit.at,
      `a probe takes no longer than \`inter\`: ${duration(interval)}`,
    );
  return map(
    {
      type: value(http === undefined ? 'tcp' : 'http', http?.at ?? checked.name.at),
      path: http === undefined ? undefined : pathOf(section, http),
      expect_status: http === undefined ? undefined : expected(section, remarks),
      interval: value(duration(interval), inter?.at),
      timeout: timeout === undefined ? undefined : value(duration(Math.min(timeout, interval)), limit?.at),
      fall: value(countOf(fall, 'fall', remarks) ?? 3, fall?.at),
      rise: value(countOf(rise, 'rise', remarks) ?? 2, rise?.at),
    },
    checked.name.at,
  );
}

/** `option httpchk [METHOD] URI …`, or `uri` of `http-check send`. */
function pathOf(section: Section, { args }: Line): Input {
  const [send] = linesOf(section, 'http-check', 'send');
  const uri = optionOf(send?.args ?? [], 'uri') ?? args.slice(1).find(({ text }) => text.startsWith('/'));
  return value(uri?.text ?? '/', uri?.at);
}

function expected(section: Section, remarks: Remarks): Input {
  const [expect] = linesOf(section, 'http-check', 'expect');
  if (expect === undefined) return values(['2xx', '3xx']);
  const status = optionOf(expect.args, 'status');
  const list = status?.text.split(',') ?? [];
  if (status !== undefined && list.every((one) => /^[1-5][0-9]{2}$/.test(one)))
    return values(list.map(Number), status.at);
  const pattern = optionOf(expect.args, 'rstatus');
  const digits =
    /^\^?(?:([1-5])|\(?([1-5](?:\|[1-5])*)\)?|\[([1-5]+)\])(?:\[0-9\]\[0-9\]|\.\.|\\d\\d|\.\*)?\$?$/.exec(
      pattern?.text ?? '',
    );
  const classes = (digits?.[1] ?? digits?.[2] ?? digits?.[3] ?? '').replaceAll('|', '');
  if (pattern !== undefined && classes !== '')
    return values(
      Array.from(classes, (digit) => `${digit}xx`),
      pattern.at,
    );
  remarks.lost('http-check expect', expect.at, 'probes look at statuses; those from 200 to 399 are expected');
  return values(['2xx', '3xx']);
}
