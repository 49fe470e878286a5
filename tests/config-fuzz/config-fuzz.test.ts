import { expect, test } from 'vitest';
import { fuzzConfig } from './fuzzer.ts';
import { fuzzedTexts } from './texts.ts';

const FILES = 500;
const LIMIT_MS = 120_000;

test(
  `of ${FILES} damaged files each is applied as a whole or refused with the place and key of each fault, and then changes nothing`,
  async () => {
    const report = await fuzzConfig({ texts: fuzzedTexts(), files: FILES, seed: 20_261_122 });
    expect(report.findings).toEqual([]);
    expect(report.files).toBe(FILES);
    // Both must happen often, or nothing was proved.
    expect(report.refused).toBeGreaterThan(FILES / 5);
    expect(report.applied).toBeGreaterThan(FILES / 20);
  },
  LIMIT_MS,
);
