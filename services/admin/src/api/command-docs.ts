import { COMMAND_NAMES, COMMANDS, type CommandDeclaration, type HttpForm } from '@usher/events';
import {
  COUNT,
  declareRoute,
  described,
  FLAG,
  type JsonSchema,
  listOf,
  objectOf,
  oneOf,
  optional,
  type RouteDoc,
  TEXT,
} from '@usher/runtime';
import type { Accepted } from '../command-sender.ts';
import { schemaOf, without } from './from-events.ts';

const HEADERS = {
  'idempotency-key': described('Id of the command: sent again with the same id it changes nothing more', {
    type: 'string',
  }),
  'if-match': described('The revision that was seen, as in `"12"`; another one refuses the change', TEXT),
};
const REASON = described('Why; it is written into the events', { type: 'string' });
const ACCEPTED = objectOf<Accepted>(
  {
    position: described('Of the record that the command’s events are in', COUNT),
    events: described('Types of its events; none when all was so already', listOf(TEXT)),
    repeated: described('The same command had been accepted before; nothing was changed', FLAG),
  },
  'Accepted',
);
const REFUSALS = ['not_found', 'conflict', 'no_leader', 'log_unavailable', 'log_replaced'] as const;
const ANSWER: RouteDoc['answer'] = {
  description: 'The command’s events are durable, and known to this process',
  schema: ACCEPTED,
};

interface CommandBody {
  readonly name: string;
  readonly data?: unknown;
  readonly actor?: string;
  readonly reason?: string;
  readonly expectRevision?: number;
}

export const ANY_COMMAND = declareRoute('operate', {
  name: 'sendCommand',
  summary: 'Send any command',
  headers: HEADERS,
  body: {
    required: true,
    schema: objectOf<CommandBody>(
      {
        name: oneOf(COMMAND_NAMES),
        data: optional({
          anyOf: Object.entries(COMMANDS).map(([name, { data }]) => described(name, schemaOf(data))),
        }),
        actor: optional(described('On whose behalf', TEXT)),
        reason: optional(REASON),
        expectRevision: optional(described('As If-Match', COUNT)),
      },
      'Command',
    ),
  },
  answer: ANSWER,
  refusals: REFUSALS,
});

/** The declaration of a route that is short for a command. */
export function declareShort(name: string, { summary, data }: CommandDeclaration, http: HttpForm) {
  const schema = bodyOf(schemaOf(data), http.body);
  return declareRoute('operate', {
    name: http.operation,
    summary: `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}`,
    notes: `Short for the command \`${name}\`.`,
    ...(http.path.includes(':id') ? { path: { id: described('Which one', TEXT) } } : {}),
    query: { reason: REASON },
    headers: HEADERS,
    body: { schema, required: (schema.required ?? []).length > 0 },
    answer: ANSWER,
    refusals: REFUSALS,
  });
}

function bodyOf(data: JsonSchema, body: HttpForm['body']): JsonSchema {
  if (body === 'whole') return data;
  return 'as' in body ? (data.properties?.[body.as] ?? {}) : without(data, body.besides);
}
