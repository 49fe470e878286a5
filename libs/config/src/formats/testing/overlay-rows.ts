import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { plainOf } from '../../input/input.ts';
import { parseYaml } from '../../input/yaml.ts';
import { placeIn } from '../../load.ts';
import type { KeyedFormat, Overlay } from '../format.ts';
import { withOverlays } from '../overlays.ts';
import { Remarks } from '../remarks.ts';
import { checkOutcome, isDecided, type Outcome } from './key-rows.ts';
import { make, type Overlaid, put, valuesAt } from './made.ts';

/** A variable or a flag of another system, the key that it lies over, the text that it is given, and what becomes of it. */
type OverlayRow = readonly [name: string, key: string, text: string, ...outcome: Outcome];

/** Tests that each variable of a system lies over the key that its page names, and does what its row says; the base has all of these keys. */
export function testVariables(format: KeyedFormat, base: object, rows: readonly OverlayRow[]): void {
  testOverlays(format, base, rows, format.variables, (name, text) => ({ env: { [name]: text } }));
}

/** The same for flags. */
export function testFlags(format: KeyedFormat, base: object, rows: readonly OverlayRow[]): void {
  testOverlays(format, base, rows, format.flags, (name, text) => ({ flags: [`-${name}`, text] }));
}

function testOverlays(
  format: KeyedFormat,
  base: object,
  rows: readonly OverlayRow[],
  declared: readonly Overlay[],
  overlaid: (name: string, text: string) => Overlaid,
): void {
  test.each(rows)('%s over %s: %s', (name, key, text, ...outcome) => {
    const over = overlaid(name, text);
    expect(valuesAt(base, key), 'in the file').not.toEqual([undefined]);
    expect(laidOver(format, base, over)).toEqual(put(base, key, text));
    const [before, after] = [make(format, base), make(format, base, over)];
    checkOutcome(before, after, outcome);
    const written = make(format, put(base, key, text));
    expect([after.file, after.settings], 'the same as the key').toEqual([written.file, written.settings]);
    const ours = format.table[key]?.ours ?? '';
    if (ours === '') expect(after.file, 'nothing stands for it').toEqual(before.file);
    else expect(isDecided(ours, before, after, outcome), 'it counts').toBe(true);
  });

  test('each one on its page has been tested', () => {
    const tested = rows.map(([name, key]) => ({ name, key }));
    expect(new Set(tested)).toEqual(new Set(declared));
  });
}

/** The file of that system with what lies over it. */
function laidOver(format: KeyedFormat, base: object, { env = {}, flags = [] }: Overlaid): unknown {
  const { root } = parseYaml(stringify(base), placeIn('f'));
  return root === undefined ? undefined : plainOf(withOverlays(root, format, env, flags, new Remarks()));
}
