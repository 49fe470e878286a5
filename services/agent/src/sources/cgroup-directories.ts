import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * Directories of a cgroup and of all that it is in, as far up as this machine or container shows them, the innermost
 * first: a limit holds for everything below it.
 *
 * @param root Directory that contains `proc` and `sys`.
 * @param group Path of the group below the mount, as in `/system.slice/web.service`; undefined = this process's own.
 */
export function cgroupDirectories(root: string, group: string | undefined): readonly string[] {
  const mount = cgroupMount(textOf(join(root, 'proc/self/mountinfo')));
  const own = /^0::(.*)$/m.exec(textOf(join(root, 'proc/self/cgroup')))?.[1] ?? '/';
  let inside = group === undefined ? belowMount(own, mount.shows) : posix.join('/', group);
  const directories: string[] = [];
  for (; inside !== '/'; inside = posix.dirname(inside)) directories.push(join(root, mount.at, inside));
  return [...directories, join(root, mount.at)];
}

interface Mount {
  /** Where it is. */
  readonly at: string;
  /** The group that is seen there, for a container often its own. */
  readonly shows: string;
}

/** Reads `proc/self/mountinfo`: `id parent major:minor root mount-point options … - type source …`. */
function cgroupMount(mountinfo: string): Mount {
  const line = mountinfo.split('\n').find((each) => each.includes(' - cgroup2 '));
  const [, , , shows = '/', at = '/sys/fs/cgroup'] = line?.split(' ') ?? [];
  return { at, shows };
}

function belowMount(own: string, shows: string): string {
  if (shows === '/') return outside(own) ? '/' : posix.join('/', own);
  if (own !== shows && !own.startsWith(`${shows}/`)) return '/';
  return posix.join('/', own.slice(shows.length));
}

/** A process that was moved out of what the container shows sees its group as `/../…`. */
function outside(path: string): boolean {
  return path.split('/').includes('..');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
