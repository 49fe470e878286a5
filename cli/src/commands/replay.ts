import { FleetFold } from '@usher/actors';
import type { LocalSettings } from '@usher/config';
import type { LogRecord, Position } from '@usher/ports';
import { wholeOption } from '../arguments.ts';
import { backendRows } from '../backend-rows.ts';
import { EXIT_FAILED, EXIT_OK, type Io, type Run } from '../io.ts';
import { type OfflineLog, openOfflineLog } from '../offline-log.ts';
import { readConfig } from '../read-config.ts';
import { table } from '../table.ts';
import type * as verbs from '../verbs/offline.ts';

interface Replayed {
  readonly fold: FleetFold;
  readonly records: number;
  readonly events: number;
  readonly quarantined: number;
  readonly durationMs: number;
  /** Checkpoints whose digest is not that of the state replayed up to their position. */
  readonly mismatches: readonly Position[];
  readonly checkpoints: number;
  /** What the log lacks, a sentence each. Looked for with --verify. */
  readonly losses: readonly string[];
}

/** Rebuilds the fleet's state from the event log alone, without the running system. */
export const replay: Run<typeof verbs.replay> = async ({ options }, io) => {
  const until = wholeOption('at', options.at);
  const { local } = await readConfig(options, io);
  const replayed = await replayLog(local, until, options.verify);
  if (options.json) io.out(JSON.stringify(asJson(replayed, !options.digest)));
  else print(replayed, options.digest, io);
  return replayed.mismatches.length + replayed.losses.length === 0 ? EXIT_OK : EXIT_FAILED;
};

async function replayLog(
  local: LocalSettings,
  until: Position | undefined,
  verify: boolean,
): Promise<Replayed> {
  const reader = await openOfflineLog(local);
  try {
    const wanted = verify ? await findCheckpoints(reader, until) : new Map<Position, string>();
    const fold = new FleetFold();
    const count = { records: 0, events: 0, quarantined: 0 };
    const mismatches: Position[] = [];
    const startMs = performance.now();
    await reader.replay(
      0,
      (record) => {
        fold.apply(record);
        count.records += 1;
        count.events += record.events.length;
        count.quarantined += record.quarantined.length;
        const digest = wanted.get(record.position);
        if (digest !== undefined && digest !== fold.digest()) mismatches.push(record.position);
      },
      until,
    );
    const durationMs = performance.now() - startMs;
    const losses = verify ? await reader.inspect() : [];
    return { fold, ...count, durationMs, mismatches, checkpoints: wanted.size, losses };
  } finally {
    await reader.close();
  }
}

/** Positions that a checkpoint was written about, with the digest it says. */
async function findCheckpoints(
  reader: OfflineLog,
  until: Position | undefined,
): Promise<Map<Position, string>> {
  const found = new Map<Position, string>();
  const collect = (record: LogRecord) => {
    for (const event of record.events) {
      if (event.type === 'checkpoint.written') found.set(event.data.position, event.data.digest);
    }
  };
  await reader.replay(0, collect, until);
  return found;
}

function asJson({ fold, mismatches, ...rest }: Replayed, whole: boolean) {
  const state = whole ? { backends: backendRows(fold.state) } : {};
  return { position: fold.position, digest: fold.digest(), ...rest, mismatches, ...state };
}

function print(
  { fold, records, events, quarantined, durationMs, ...rest }: Replayed,
  digest: boolean,
  io: Io,
): void {
  const perSecond = Math.round(events / Math.max(durationMs / 1000, 0.001));
  io.out(`position ${fold.position}, digest ${fold.digest()}`);
  io.out(
    `${records} records, ${events} events in ${durationMs.toFixed(0)} ms (${perSecond}/s), ${quarantined} set aside`,
  );
  if (rest.checkpoints > 0)
    io.out(`${rest.checkpoints} checkpoints compared, ${rest.mismatches.length} differ`);
  for (const loss of rest.losses) io.err(`usher: the event log lacks records: ${loss}`);
  if (digest) return;
  const rows = backendRows(fold.state).map((row) => [
    row.pool,
    row.id,
    row.url,
    row.eligibility,
    row.health,
    row.breaker,
  ]);
  io.out('');
  for (const line of table(['POOL', 'BACKEND', 'URL', 'STATE', 'HEALTH', 'BREAKER'], rows)) io.out(line);
}
