import { expect, test } from 'vitest';
import { CATALOGUE } from '../../libs/events/src/index.ts';
import { eventsPage } from './events-page.ts';
import { fields } from './field-types.ts';

test('the page names every event type with its writer, kind and version', () => {
  const page = eventsPage(CATALOGUE);
  for (const [type, { writer, kind, version }] of Object.entries(CATALOGUE)) {
    const [before = '', section = ''] = page.split(`\n### ${type}\n`);
    expect(before.slice(before.lastIndexOf('\n## ')), type).toContain(`Written by the ${writer}`);
    expect(section.split('\n### ')[0], type).toContain(`A ${kind}, version ${version}.`);
  }
});

const tagged = (tag: string, extra: object) => ({
  type: 'object',
  properties: { type: { const: tag }, ...extra },
  required: ['type', ...Object.keys(extra)],
});

test('nested, listed, optional and alternative fields each have a line of their own', () => {
  const schema = {
    type: 'object',
    properties: {
      list: {
        type: 'array',
        items: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
      },
      mode: { type: 'string', enum: ['a', 'b'] },
      check: { oneOf: [tagged('none', {}), tagged('http', { path: { type: 'string' } })] },
    },
    required: ['list', 'check'],
  };
  expect(fields(schema)).toEqual([
    { name: 'list[].id', type: 'string' },
    { name: 'mode?', type: '"a" or "b"' },
    { name: 'check.type', type: '"none" or "http"' },
    { name: 'check.path?', type: 'string' },
  ]);
});
