import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

/** Programs that are compared with, or that measure; the values are their Debian packages. */
const PACKAGES: Readonly<Record<string, string>> = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  taskset: 'util-linux',
  openssl: 'openssl',
};

/** Debian puts servers where the PATH of an ordinary user does not look. */
const DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

export class MissingProgramsError extends Error {}

/** Where each program is. Throws MissingProgramsError, which names all that are missing and how to install them. */
export function findPrograms<N extends string>(names: readonly N[]): Record<N, string> {
  const found = names.map((name) => [name, locate(name)] as const);
  const missing = found.filter(([, file]) => file === undefined).map(([name]) => name);
  if (missing.length > 0) {
    const packages = missing.map((name) => PACKAGES[name] ?? name).join(' ');
    throw new MissingProgramsError(
      `this needs ${missing.join(', ')}. Install with: apt-get install --no-install-recommends ${packages}`,
    );
  }
  return Object.fromEntries(found) as Record<N, string>;
}

function locate(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(path.delimiter), ...DIRECTORIES];
  return directories
    .map((directory) => path.join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The CPUs that a run is pinned to. */
export interface Cores {
  readonly proxy: readonly number[];
  /** For the client and the backends. */
  readonly load: readonly number[];
}

/** One core for the proxy, another for everything else. Proxy and load on one core would measure their quarrel. */
export function pickCores(): Cores {
  const [proxy, load] = allowedCores();
  if (proxy === undefined || load === undefined) {
    throw new MissingProgramsError('this needs two CPU cores: one for the proxy, one for load and backend.');
  }
  return { proxy: [proxy], load: [load] };
}

/** The CPUs that this process may use. */
export function allowedCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** First line that looks like a version in what a program says about itself. */
export function versionOf(file: string, flag: string): string {
  const output = execFileSync('sh', ['-c', `"$0" ${flag} 2>&1 || true`, file], { encoding: 'utf8' });
  return /\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? 'unknown version';
}
