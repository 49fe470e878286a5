import type { Log } from '@usher/ports';
import type { Findings } from '../checks/findings.ts';
import type { World } from '../world/world.ts';

/** Errors that faults lead to, as they should. */
const EXPECTED: ReadonlySet<string> = new Set([
  'a gateway worker ended',
  'a pool is in panic: requests go to all of its backends',
]);

/** What a process says goes into the trace; an error that no fault explains is a finding. */
export function processLog(world: World, findings: Findings, life: string): Log {
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: (message, fields) => world.note(life, `warns: ${message} ${JSON.stringify(fields ?? {})}`),
    error: (message, fields) => {
      const { error } = fields ?? {};
      const cause = error instanceof Error ? error.stack : JSON.stringify(fields ?? {});
      world.note(life, `error: ${message} ${cause}`);
      if (!EXPECTED.has(message)) findings.report('nothing fails inside', `${life}: ${message} ${cause}`);
    },
    child: () => log,
  };
  return log;
}
