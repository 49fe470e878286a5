import { expect, test } from 'vitest';
import { CATALOGUE, COMMANDS } from '../../libs/events/src/index.ts';
import { asyncApi } from './async-api.ts';
import { MEANINGS } from './event-meanings.ts';

interface Document {
  readonly channels: Readonly<
    Record<string, { readonly address: string | null; readonly messages: Readonly<Record<string, unknown>> }>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties: object }>> };
}

const text = asyncApi(CATALOGUE, MEANINGS);
const document = JSON.parse(text) as Document;

test('the document has every event type with its data, in the channel of its writer', () => {
  expect(Object.keys(document.components.schemas)).toEqual(Object.keys(CATALOGUE));
  for (const [type, { writer, version }] of Object.entries(CATALOGUE)) {
    const channel = document.channels[`${writer}Events`];
    expect(channel?.address, type).toBe(`usher.events.${writer}.{aggregate}`);
    expect(JSON.stringify(channel?.messages), type).toContain(`#/components/schemas/${type}"`);
    expect(document.components.schemas[type]?.properties).toMatchObject({
      type: { const: type },
      dataversion: { const: version },
      data: { type: 'object' },
    });
  }
});

test('the document has every command, and every reference leads somewhere', () => {
  expect(Object.keys(document.channels['commands']?.messages ?? {})).toEqual(Object.keys(COMMANDS));
  for (const [, path = ''] of text.matchAll(/"#\/([^"]+)"/g)) {
    const found = path
      .split('/')
      .reduce<unknown>(
        (part, key) => (part as Readonly<Record<string, unknown>> | undefined)?.[key],
        document,
      );
    expect(found, path).toBeDefined();
  }
});
