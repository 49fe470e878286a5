import type { Status } from '@usher/admin';
import { type Problem, UsherError } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import { AdminClient } from '../admin-client.ts';
import { wholeOption } from '../arguments.ts';
import { EXIT_OK, type Io, type Run } from '../io.ts';
import type * as verbs from '../verbs/fleet.ts';
import type { Given } from '../verbs/verb.ts';

/** A line of `GET /v1/events`: a record, or the reason why there are no more. */
type Line = RecordLine | { readonly error: Problem };

interface RecordLine {
  readonly position: number;
  readonly events: readonly UsherEvent[];
}

/** How many records are shown when nobody says from where. */
const RECORDS_SHOWN = 20;

export const events: Run<typeof verbs.events> = async ({ options }, io) => await show('show', options, io);

export const eventsTail: Run<typeof verbs.eventsTail> = async ({ options }, io) =>
  await show('tail', options, io);

export const eventsExport: Run<typeof verbs.eventsExport> = async ({ options }, io) =>
  await show('export', options, io);

async function show(
  mode: 'show' | 'tail' | 'export',
  options: Given<typeof verbs.events>['options'],
  io: Io,
): Promise<number> {
  const query = new URLSearchParams();
  const limit = wholeOption('limit', options.limit);
  if (limit !== undefined) query.set('limit', String(limit));
  if (mode === 'tail') query.set('follow', 'true');
  const client = await AdminClient.find(options, io);
  const newest = limit ?? RECORDS_SHOWN;
  const after =
    wholeOption('after', options.after) ?? (mode === 'show' ? await behindAllBut(newest, client) : undefined);
  if (after !== undefined) query.set('after', String(after));
  const response = await client.open(`/v1/events?${query.toString()}`);
  const seen = await printLines(response, options.json || mode === 'export', io);
  if (mode !== 'tail' || seen.records === limit) return EXIT_OK;
  throw new UsherError('log_unavailable', `the running system ended the stream ${goOn(seen.position)}`);
}

/** The position behind which there are so many records. */
async function behindAllBut(count: number, client: AdminClient): Promise<number> {
  const { position } = await client.get<Status>('/v1/status', 'position');
  return Math.max(0, position - count);
}

interface Seen {
  readonly records: number;
  /** Of the last record; undefined when there was none. */
  readonly position: number | undefined;
}

/** Prints what comes. Throws UsherError when the stream says that it ends early, or breaks off. */
async function printLines(response: Response, json: boolean, io: Io): Promise<Seen> {
  let seen: Seen = { records: 0, position: undefined };
  for await (const text of linesOf(response, () => goOn(seen.position))) {
    const line = JSON.parse(text) as Line;
    if ('error' in line) throw new UsherError(line.error.code, line.error.detail ?? line.error.title);
    if (json) io.out(text);
    else for (const described of describe(line)) io.out(described);
    seen = { records: seen.records + 1, position: line.position };
  }
  return seen;
}

async function* linesOf({ body }: Response, where: () => string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (error) {
    throw new UsherError('log_unavailable', `the stream of events broke off ${where()}`, { cause: error });
  }
  if (rest !== '') throw new UsherError('log_unavailable', `the stream of events broke off ${where()}`);
}

function goOn(position: number | undefined): string {
  return position === undefined
    ? 'before its first record'
    : `after position ${position}; go on with --after ${position}`;
}

function describe(line: RecordLine): string[] {
  return line.events.map(({ time, type, subject, actor, reason, data }) => {
    const why = reason === undefined ? '' : ` (${reason})`;
    return printable(
      `${time} #${line.position} ${type} ${subject} by ${actor}${why} ${JSON.stringify(data)}`,
    );
  });
}

/** What moves the cursor of a terminal or turns its text around could show what never happened. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
