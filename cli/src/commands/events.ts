import type { Status } from '@usher/admin';
import { type Problem, UsherError } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import { AdminClient } from '../admin-client.ts';
import { ADMIN_OPTIONS, numberOption, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK, type Io, UsageError } from '../io.ts';

/** A line of `GET /v1/events`: a record, or the reason why there are no more. */
type Line =
  | { readonly position: number; readonly events: readonly UsherEvent[] }
  | { readonly error: Problem };

/** How many records are shown when nobody says from where. */
const RECORDS_SHOWN = 20;

export const events: CliCommand = {
  usage: 'events [tail | export] [--after POSITION] [--limit N] [--json]',
  async run(args, io) {
    const [first] = args;
    const mode = first === undefined || first.startsWith('-') ? 'show' : first;
    if (!['show', 'tail', 'export'].includes(mode)) throw new UsageError(`events: there is no ${mode}`);
    const { values } = parse(mode === 'show' ? args : args.slice(1), {
      ...ADMIN_OPTIONS,
      after: { type: 'string' },
      limit: { type: 'string' },
    });
    const query = new URLSearchParams();
    const limit = numberOption('limit', values.limit);
    if (limit !== undefined) query.set('limit', String(limit));
    if (mode === 'tail') query.set('follow', 'true');
    const client = await AdminClient.find(values, io);
    const after = numberOption('after', values.after) ?? (mode === 'show' ? await newest(client) : undefined);
    if (after !== undefined) query.set('after', String(after));
    const response = await client.open(`/v1/events?${query.toString()}`);
    await printLines(response, values.json === true || mode === 'export', io);
    return EXIT_OK;
  },
};

/** The position from which the newest records are shown. */
async function newest(client: AdminClient): Promise<number> {
  const { position } = (await client.get('/v1/status')) as Status;
  return Math.max(0, position - RECORDS_SHOWN);
}

async function printLines(response: Response, json: boolean, io: Io): Promise<void> {
  if (response.body === null) return;
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (json) io.out(line);
      else for (const text of describe(JSON.parse(line) as Line)) io.out(text);
    }
  }
}

function describe(line: Line): string[] {
  if ('error' in line) throw new UsherError(line.error.code, line.error.detail);
  return line.events.map(({ time, type, subject, actor, reason, data }) => {
    const why = reason === undefined ? '' : ` (${reason})`;
    return `${time} #${line.position} ${type} ${subject} by ${actor}${why} ${JSON.stringify(data)}`;
  });
}
