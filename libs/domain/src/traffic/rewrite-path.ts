import { isCovered } from '../path-table.ts';
import type { RewriteSettings } from './traffic-settings.ts';

const QUERY = '?';

/**
 * The target as the backend gets it. No byte of what is left is decoded or changed, so that what was encoded twice stays so.
 * However many slashes are left at the beginning, it gets one: two would name another host to whoever resolves it.
 */
export function rewritten(target: string, { strip = '', add = '' }: RewriteSettings): string {
  if (!target.startsWith('/')) return target;
  const pathEnd = target.indexOf(QUERY);
  const path = pathEnd < 0 ? target : target.slice(0, pathEnd);
  const left = isCovered(strip, path) ? path.slice(strip.length) : path;
  const rest = left === '' && add !== '' ? '' : `/${left.replace(/^[/\\]+/, '')}`;
  return add + rest + target.slice(path.length);
}
