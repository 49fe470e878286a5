import { readFileSync } from 'node:fs';
import { defaultFile } from '@usher/config';

/** Files that say much: the example, and every key that there is. */
export function fuzzedTexts(): string[] {
  const example = readFileSync(new URL('../../usher.example.yaml', import.meta.url), 'utf8');
  // Variables with our prefix are keys of the configuration unless the file refers to them, which a damaged one may not.
  return [
    example.replaceAll('env:USHER_', 'env:'),
    defaultFile({ full: false }),
    defaultFile({ full: true }),
  ];
}
