import { parseArgs } from 'node:util';
import { type ConfigFuzzReport, fuzzConfig } from './fuzzer.ts';
import { fuzzedTexts } from './texts.ts';

/**
 * `npm run fuzz:config [-- --files N --seed S]`: gives one running process damaged configuration files, one after the
 * other. Equal seeds make equal files.
 */

const FILES_DEFAULT = '100000';
const PROGRESS_FILES = 10_000;

const { values } = parseArgs({
  options: { files: { type: 'string', default: FILES_DEFAULT }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const startMs = performance.now();

console.log(`${values.files} files from seed ${seed}`);
const report = await fuzzConfig({
  texts: fuzzedTexts(),
  files: Number(values.files),
  seed,
  onProgress(progress) {
    if (progress.files % PROGRESS_FILES === 0) console.log(summary(progress));
  },
});
console.log(summary(report));
for (const { index, what, text } of report.findings) console.error(`file ${index}: ${what}\n${text}\n`);
if (report.findings.length > 0) process.exitCode = 1;

function summary({ files, refused, applied, faults, findings }: ConfigFuzzReport): string {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  return `${files} files in ${seconds} s, ${findings.length} findings (${refused} refused with ${faults} faults, ${applied} applied)`;
}
