/** Everything of Usher on a Redis server is below this. */
export const KEY_PREFIX = 'usher:';

export function valueKey(key: string): string {
  return `${KEY_PREFIX}value:${key}`;
}
