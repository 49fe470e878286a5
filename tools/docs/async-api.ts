import {
  type CatalogueEntry,
  COMMANDS,
  COMMANDS_PREFIX,
  CONTROL_SUBJECT,
  EVENTS_PREFIX,
} from '../../libs/events/src/index.ts';

export const ASYNC_API = 'docs/reference/asyncapi.json';

const TEXT = { type: 'string' };
const COUNT = { type: 'integer', minimum: 0 };

/** The document of the events and commands that go over NATS, in AsyncAPI 3.0, as the text of its file. */
export function asyncApi(
  catalogue: Readonly<Record<string, CatalogueEntry>>,
  meanings: Readonly<Record<string, string>>,
): string {
  const writers = [...new Set(Object.values(catalogue).map(({ writer }) => writer))];
  const schemas = Object.entries(catalogue).map(([type, entry]) => [
    type,
    eventSchema(type, entry, meanings[type] ?? ''),
  ]);
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Usher events and commands',
      version: '1',
      description:
        'Made by `npm run docs` from the catalogue of events. A message of the event log is a record: a JSON array of events that became durable together, each in a CloudEvents 1.0 envelope.',
    },
    defaultContentType: 'application/json',
    channels: {
      ...Object.fromEntries(writers.map((writer) => [channelOf(writer), recordChannel(writer, catalogue)])),
      commands: commandChannel(),
      commandAnswers: {
        address: null,
        description: 'The inbox that the command names',
        messages: { answer: { $ref: '#/components/messages/CommandAnswer' } },
      },
    },
    operations: {
      ...Object.fromEntries(
        writers.map((writer) => [
          `write${channelOf(writer)}`,
          { action: 'send', channel: { $ref: `#/channels/${channelOf(writer)}` } },
        ]),
      ),
      obey: {
        action: 'receive',
        channel: { $ref: '#/channels/commands' },
        reply: { channel: { $ref: '#/channels/commandAnswers' } },
      },
    },
    components: {
      messages: {
        CommandAnswer: {
          summary: '`ok` means durable: the events named are in the log at `position`',
          payload: answerSchema(),
        },
      },
      schemas: Object.fromEntries(schemas),
    },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function channelOf(writer: string): string {
  return `${writer}Events`;
}

function recordChannel(writer: string, catalogue: Readonly<Record<string, CatalogueEntry>>): object {
  const types = Object.keys(catalogue).filter((type) => catalogue[type]?.writer === writer);
  const items = { oneOf: types.map((type) => ({ $ref: `#/components/schemas/${type}` })) };
  return {
    address: `${EVENTS_PREFIX}.${writer}.{aggregate}`,
    description: `Written by the ${writer} and nobody else`,
    parameters: {
      aggregate: {
        description:
          writer === 'scheduler'
            ? `What is decided is ${CONTROL_SUBJECT}; checkpoints are apart`
            : 'What the events are about, or the process that tells',
      },
    },
    messages: { record: { summary: 'A record of the log', payload: { type: 'array', items, minItems: 1 } } },
  };
}

function eventSchema(type: string, { version, kind, schema }: CatalogueEntry, meaning: string): object {
  const properties = {
    specversion: { const: '1.0' },
    id: { ...TEXT, format: 'uuid', description: 'UUIDv7; equal ids are the same event' },
    source: { ...TEXT, description: 'usher/<writer>/<instance>' },
    type: { const: type },
    subject: { ...TEXT, description: 'What it is about: a backend, pool or gateway, or `fleet`' },
    time: { ...TEXT, format: 'date-time' },
    dataversion: { const: version },
    data: plain(schema),
    actor: { ...TEXT, description: 'Person or service that wanted it' },
    reason: TEXT,
    causationid: { ...TEXT, description: 'Id of the command or event that caused it' },
    traceparent: TEXT,
  };
  const required = Object.keys(properties).slice(0, Object.keys(properties).indexOf('reason'));
  return { description: `${meaning} A ${kind}.`, type: 'object', properties, required };
}

function commandChannel(): object {
  const messages = Object.entries(COMMANDS).map(([name, { data, summary }]) => [
    name,
    {
      summary,
      payload: {
        type: 'object',
        properties: {
          id: { ...TEXT, description: 'Sent again with the same id it changes nothing more' },
          name: { const: name },
          data: plain(data),
          actor: TEXT,
          reason: TEXT,
          expectRevision: { ...COUNT, description: 'The revision that was seen; another one refuses it' },
        },
        required: ['id', 'name', 'data', 'actor'],
      },
    },
  ]);
  return {
    address: `${COMMANDS_PREFIX}.{name}`,
    description: 'Served by the scheduler that leads',
    parameters: { name: { description: 'Of the command', enum: Object.keys(COMMANDS) } },
    messages: Object.fromEntries(messages),
  };
}

function answerSchema(): object {
  const accepted = {
    ok: { const: true },
    position: COUNT,
    events: { type: 'array', items: TEXT },
    repeated: { type: 'boolean' },
  };
  const refused = {
    ok: { const: false },
    problem: { type: 'object', description: 'RFC 9457; its `code` is stable' },
  };
  return {
    oneOf: [accepted, refused].map((properties) => ({
      type: 'object',
      properties,
      required: Object.keys(properties),
    })),
  };
}

/** The document names its dialect itself. */
function plain(schema: { toJSONSchema(): object }): object {
  const { $schema: _dialect, ...rest } = schema.toJSONSchema() as { readonly $schema?: string };
  return rest;
}
