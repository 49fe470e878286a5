import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { configJsonSchema } from './json-schema.ts';
import { parseConfigText } from './load.ts';
import { referencePage } from './reference-page.ts';

/** `vitest -u` writes the files anew. */
const ROOT = new URL('../../../', import.meta.url);
const example = readFileSync(new URL('usher.example.yaml', ROOT), 'utf8');

function accepts(text: string): boolean {
  return z.fromJSONSchema(configJsonSchema()).safeParse(parse(text)).success;
}

test('the reference page is made from the declarations', async () => {
  await expect(referencePage()).toMatchFileSnapshot(new URL('docs/reference/config.md', ROOT).pathname);
});

test('the shipped JSON Schema is made from the declarations', async () => {
  const schema = `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
  await expect(schema).toMatchFileSnapshot(new URL('usher.schema.json', ROOT).pathname);
});

test('the example is a configuration, by the parser and by the schema', () => {
  const { shared } = parseConfigText(example, { env: { USHER_ADMIN_TOKEN: 'x' } });
  expect(shared.backends.map((backend) => backend.id)).toEqual(['web-a', 'web-b', 'web-3', 'api-1', 'api-2']);
  expect(accepts(example)).toBe(true);
});

test.each([
  'workers: 0',
  'wrokers: 1',
  'timeouts: { idle: 30 }',
  'timeouts: { idle: 30min }',
  'limits: { request_body: 10mb }',
  'listen: []',
  'listen: [{ port: 80 }]',
  'pools: { "we b": {} }',
  'pools: { web: { strategy: rr } }',
  'pools: { web: { backends: ["ftp://a"] } }',
  'pools: { web: { backends: [{ id: a }] } }',
  'routes: [{ pool: web }]',
  'bus: { servers: [] }',
  'metrics: nothing',
])('the schema refuses what the parser refuses: %s', (text) => {
  expect(() => parseConfigText(text)).toThrow();
  expect(accepts(text)).toBe(false);
});

test('every default in the schema is one that the schema accepts', () => {
  const wrong: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    if ('default' in schema) {
      const result = z.fromJSONSchema(schema).safeParse(schema.default);
      if (!result.success) wrong.push(path);
    }
    for (const [key, below] of Object.entries(schema)) visit(below, `${path}/${key}`);
  };
  visit(configJsonSchema(), '');
  expect(wrong).toEqual([]);
});
