import { ReservationAudit, type ReservationReport, type Violation } from '@usher/actors';
import { EXIT_FAILED, EXIT_OK, type Io, type Run } from '../io.ts';
import { openOfflineLog } from '../offline-log.ts';
import { readConfig } from '../read-config.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/offline.ts';

/** Violations that are printed; --json has them all. */
const SHOWN_MAX = 20;

/** Proves by the event log alone what must have been true at every moment. */
export const auditReservations: Run<typeof verbs.auditReservations> = async ({ options }, io) => {
  const { local } = await readConfig(options, io);
  const log = await openOfflineLog(local);
  const audited = new ReservationAudit();
  try {
    await log.replay(0, ({ events, position }) => {
      for (const event of events) audited.apply(event, position);
    });
  } finally {
    await log.close();
  }
  const report = audited.report();
  if (options.json) io.out(JSON.stringify(report));
  else print(report, io);
  return report.pools.some(({ violations }) => violations > 0) ? EXIT_FAILED : EXIT_OK;
};

function print({ pools, withoutStore, violations, proven }: ReservationReport, io: Io): void {
  const rows = pools.map(({ pool, runs, steps, missing, violations: found }) =>
    [pool, runs, steps, missing, found].map(String),
  );
  for (const line of table(['POOL', 'RUNS', 'STEPS', 'MISSING', 'VIOLATIONS'], rows)) io.out(line);
  io.out('');
  for (const violation of violations.slice(0, SHOWN_MAX)) io.err(`usher: ${sentence(violation)}`);
  if (violations.length > SHOWN_MAX) io.err(`usher: and ${violations.length - SHOWN_MAX} more`);
  if (withoutStore > 0)
    io.out(`${withoutStore} reservations were made while the store was away, in no order with others`);
  const missing = pools.reduce((sum, pool) => sum + pool.missing, 0);
  if (missing > 0)
    io.out(`${missing} steps were never told, by gateways that died or that the log did not hear`);
  if (proven) io.out('no capacity was ever exceeded');
  else if (violations.length === 0) io.out('no capacity was exceeded as far as the log knows');
}

function sentence({ kind, position, step, backend, allocation, restored, ...rest }: Violation): string {
  const where = `position ${position}, step ${step}: `;
  const { dimension, reserved, capacity } = rest;
  if (kind === 'twice')
    return `${where}${allocation} was given back twice, or is in two places, on ${backend}`;
  if (kind === 'contradicted') return `${where}two gateways tell different things, one of ${allocation}`;
  const amounts = `${reserved} ${dimension} of ${capacity}`;
  if (kind === 'overstated') return `${where}a gateway took ${backend} to have ${amounts}`;
  return `${where}${backend} has ${amounts} reserved by ${allocation}${restored ? ', which was in use already' : ''}`;
}
