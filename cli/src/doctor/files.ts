import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { type ExplainedValue, explainConfig, type UsherConfig } from '@usher/config';
import { type Finding, findingsAbout } from './finding.ts';

/** Below this the log may be full before somebody has seen it. */
const FREE_BYTES_WARNING = 1024 ** 3;
/** Below this it is full after the next burst. */
const FREE_BYTES_ERROR = 64 * 1024 ** 2;
const WRITABLE_BY_ALL = 0o002;
const READABLE_BY_ALL = 0o004;
/** The algorithm of tokens with which whoever checks them can also sign them. */
const SHARED_KEY = 'HS256';
const SECRET_WRITTEN_OUT = '(hidden)';

const { ok, warning, error } = findingsAbout('files');
const data = findingsAbout('data');

/** The configuration and what it refers to: who may read what is secret, and who may change what is obeyed. */
export function lookAtFiles(config: UsherConfig, file: string | undefined): Finding[] {
  const rows = withoutPublicKeys(explainConfig(config));
  const inline = rows.some(
    ({ value, origin }) => value === SECRET_WRITTEN_OUT && file !== undefined && origin.startsWith(file),
  );
  const { local, shared } = config;
  const secrets = [
    ...rows.flatMap(({ value }) => (value.startsWith('file:') ? value.slice('file:'.length) : [])),
    ...local.listen.flatMap(({ tls }) => tls?.certificates.map(({ key }) => key) ?? []),
    ...shared.pools.flatMap(({ tls }) => tls?.key ?? []),
    ...(inline && file !== undefined ? [file] : []),
    ...cookieKeyOf(config),
  ];
  const obeyed = [
    ...(file === undefined ? [] : [file]),
    ...shared.pools.flatMap(({ strategyFile }) => strategyFile ?? []),
    ...shared.routes.flatMap(({ plugins }) => plugins.flatMap((plugin) => plugin.file ?? [])),
  ];
  const folder = file === undefined ? '.' : path.dirname(file);
  const all = new Set([...secrets, ...obeyed].map((name) => path.resolve(folder, name)));
  const secret = new Set(secrets.map((name) => path.resolve(folder, name)));
  const findings = [...all].flatMap((name) => judgeFile(name, secret.has(name)));
  return findings.length > 0
    ? findings
    : [ok(`${all.size} files of the configuration are in the right hands`)];
}

/** Keys of tokens are secret only where the same key signs them. */
function withoutPublicKeys(rows: readonly ExplainedValue[]): readonly ExplainedValue[] {
  const algorithms = new Map(
    rows.flatMap(({ path: key, value }) => (key.endsWith('.algorithm') ? [[key, value] as const] : [])),
  );
  return rows.filter(({ path: key }) => {
    const algorithm = key.endsWith('.key') ? algorithms.get(key.replace(/key$/, 'algorithm')) : undefined;
    return algorithm === undefined || algorithm === SHARED_KEY;
  });
}

function cookieKeyOf({ local }: UsherConfig): string[] {
  const file = path.join(local.data, 'cookies.key');
  return local.store.type === 'embedded' && existsSync(file) ? [file] : [];
}

function judgeFile(file: string, secret: boolean): Finding[] {
  let mode: number;
  try {
    accessSync(file, constants.R_OK);
    ({ mode } = statSync(file));
  } catch (cause) {
    const reason = `${file} cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}`;
    return [error(reason, 'run this as the user that Usher runs as, or give that user the file')];
  }
  const found: Finding[] = [];
  if ((mode & WRITABLE_BY_ALL) !== 0)
    found.push(error(`${file} can be changed by every user (${octal(mode)})`, `chmod o-w ${file}`));
  if (secret && (mode & READABLE_BY_ALL) !== 0)
    found.push(
      warning(`${file} holds a secret that every user may read (${octal(mode)})`, `chmod o-r ${file}`),
    );
  return found;
}

/** The data directory, where there is one: it is made at the first start. */
export function lookAtData({ local }: UsherConfig): Finding[] {
  if (local.bus.type !== 'embedded') return [];
  const { data: dir } = local;
  const place = existing(dir);
  const found: Finding[] = [];
  const { mode } = statSync(place);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    const what =
      place === dir ? `${dir} cannot be written` : `${dir} is not there and cannot be made in ${place}`;
    return [data.error(what, 'run this as the user that Usher runs as, or give that user the directory')];
  }
  if (place === dir && (mode & WRITABLE_BY_ALL) !== 0)
    found.push(data.error(`${dir} can be changed by every user (${octal(mode)})`, `chmod o-w ${dir}`));
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const room = `${Math.floor(free / 1024 ** 2)} MiB are free for ${dir}`;
  const remedy =
    'make room: when the disk is full, commands are refused and changes of state are not written';
  if (free < FREE_BYTES_ERROR) found.push(data.error(room, remedy));
  else if (free < FREE_BYTES_WARNING) found.push(data.warning(room, remedy));
  return found.length > 0 ? found : [data.ok(`${place === dir ? '' : 'will be made; '}${room}`)];
}

/** The nearest directory that is there. */
function existing(dir: string): string {
  return existsSync(dir) || path.dirname(dir) === dir ? dir : existing(path.dirname(dir));
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}
