import type { CatalogueEntry, EventType } from '../../libs/events/src/index.ts';
import { MEANINGS } from './event-meanings.ts';
import { fields, type JsonSchema } from './field-types.ts';

export const EVENTS_PAGE = 'docs/reference/events.md';

const INTRODUCTION = `# Events

<!-- Made by \`npm run docs\` from libs/events/src/catalogue.ts. -->

Every change of the fleet's state is one of these events. Each is a CloudEvents 1.0 envelope in JSON; the table of each
event shows its \`data\`. A *decision* is appended only if its aggregate has not changed since it was read; a *fact* is
sent in order through the outbox of its writer. Each type has exactly one writer. A reader sets aside what is not listed
here, or does not fit, and counts it. Field names end in their unit: \`Ms\` milliseconds (an instant is counted from the
Unix epoch), \`Bytes\` bytes, \`Percent\` 0 to 100, \`Ratio\` 0 to 1.
`;

/** The page of all event types, in the catalogue's order, grouped by writer. */
export function eventsPage(catalogue: Readonly<Record<string, CatalogueEntry>>): string {
  const writers = [...new Set(Object.values(catalogue).map((entry) => entry.writer))];
  const sections = writers.map((writer) => {
    const entries = Object.entries(catalogue).filter(([, entry]) => entry.writer === writer);
    return `## Written by the ${writer}\n\n${entries.map(([type, entry]) => section(type, entry)).join('\n')}`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}

function section(type: string, entry: CatalogueEntry): string {
  const rows = fields(entry.schema.toJSONSchema() as JsonSchema).map(
    ({ name, type }) => `| \`${name}\` | ${type} |`,
  );
  return [
    `### ${type}`,
    '',
    `${MEANINGS[type as EventType]} A ${entry.kind}, version ${entry.version}.`,
    '',
    '| Field | Type |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
