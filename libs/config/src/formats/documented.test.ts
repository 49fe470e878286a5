import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeUtf8, emptyDisk } from '../input/disk.ts';
import { parseConfigText } from '../load.ts';
import { KEYED_FORMATS } from './formats.ts';
import { importText } from './import.ts';
import { imported } from './testing/imported.ts';

/** Files of the forms that the documentation of each system shows. */
const FOLDER = new URL('./testing/documented/', import.meta.url);
const FILES = readdirSync(FOLDER);

function read(name: string): string {
  const text = decodeUtf8(readFileSync(new URL(name, FOLDER)));
  if (typeof text !== 'string') throw new Error(`${name} is not UTF-8`);
  return text;
}

/** The format that a name begins with. */
const formatOf = (name: string) => KEYED_FORMATS.find((format) => format.name === name.split('.')[0]);

test.each(FILES)('%s is known by its keys, and becomes a configuration without a fault', (name) => {
  const text = read(name);
  const { title, output } = importText(text, { file: name, folder: '/', disk: emptyDisk });
  expect(title).toBe(formatOf(name)?.title);
  if (output.startsWith('usher agent ')) return;
  expect(imported(text).file).toMatchObject({ listen: [{}], pools: {}, routes: expect.anything() });
});

test('the same file is the same configuration, run as it is or from what import prints', () => {
  for (const name of FILES) {
    const text = read(name);
    const { output, absent } = importText(text, { file: name, folder: '/', disk: emptyDisk });
    // Those with TLS need their certificates to run, and those of agents run nothing.
    if (absent.length > 0 || output.startsWith('usher agent ')) continue;
    expect(parseConfigText(output).shared, name).toEqual(parseConfigText(text).shared);
  }
});
