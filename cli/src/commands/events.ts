import type { UsherEvent } from '@usher/events';
import { AdminClient } from '../admin-client.ts';
import { ADMIN_OPTIONS, numberOption, parse } from '../arguments.ts';
import { type CliCommand, EXIT_OK, type Io, UsageError } from '../io.ts';

/** Lines of `GET /v1/events`: an event with the position of its record. */
interface Line {
  readonly position: number;
  readonly event: UsherEvent;
}

export const events: CliCommand = {
  usage: 'events [tail | export] [--after POSITION] [--limit N] [--json]',
  summary: 'print the newest events; tail follows, export prints all as JSON lines',
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
    const after = numberOption('after', values.after) ?? (mode === 'export' ? 0 : undefined);
    const limit = numberOption('limit', values.limit);
    if (after !== undefined) query.set('after', String(after));
    if (limit !== undefined) query.set('limit', String(limit));
    if (mode === 'tail') query.set('follow', 'true');
    const client = await AdminClient.find(values, io);
    const response = await client.open(`/v1/events?${query.toString()}`);
    await printLines(response, values.json === true || mode === 'export', io);
    return EXIT_OK;
  },
};

async function printLines(response: Response, json: boolean, io: Io): Promise<void> {
  if (response.body === null) return;
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) io.out(json ? line : describe(JSON.parse(line) as Line));
  }
}

function describe({ position, event }: Line): string {
  const reason = event.reason === undefined ? '' : ` (${event.reason})`;
  return `${event.time} #${position} ${event.type} ${event.subject} by ${event.actor}${reason} ${JSON.stringify(event.data)}`;
}
