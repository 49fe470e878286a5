/**
 * How the server makes room when its memory is full, by its INFO about memory, where it should not so: only what has a time
 * to live may go. Undefined when that holds, or its memory is not limited.
 */
export function unfitPolicy(memory: string): string | undefined {
  const [, max = '0'] = /^maxmemory:(\d+)/m.exec(memory) ?? [];
  const [, policy = ''] = /^maxmemory_policy:(\S+)/m.exec(memory) ?? [];
  return max === '0' || policy === '' || policy.startsWith('volatile-') ? undefined : policy;
}
