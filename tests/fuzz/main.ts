import { parseArgs } from 'node:util';
import { fuzz, type Report } from './fuzzer.ts';

/**
 * `npm run fuzz [-- --inputs N --seed S]`: compares our HTTP parsers with Node's on generated and damaged messages.
 * Equal seeds give equal inputs; `--inputs 1 --seed S` shows the one that a finding names.
 */

const INPUTS_DEFAULT = 5_000_000;
const PROGRESS_INPUTS = 250_000;

const { values } = parseArgs({ options: { inputs: { type: 'string' }, seed: { type: 'string' } } });
const inputs = whole('inputs', values.inputs ?? String(INPUTS_DEFAULT));
const seed = whole('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 32)));
const startMs = performance.now();
let shown = 0;

console.log(`${inputs} inputs from seed ${seed}`);
const report = await fuzz({
  inputs,
  seed,
  onProgress(progress) {
    if (progress.inputs - shown < PROGRESS_INPUTS) return;
    shown = progress.inputs;
    console.log(summary(progress));
  },
});
console.log(summary(report));
for (const { seed, kind, what, text } of report.findings) {
  console.error(`seed ${seed}, ${kind}: ${what}\n  ${JSON.stringify(text)}`);
}
if (report.findings.length > 0) process.exitCode = 1;

function summary({ inputs, outcomes, findings }: Report): string {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  const counts = [...outcomes].map(([name, count]) => `${name} ${count}`);
  return `${inputs} inputs in ${seconds} s, ${findings.length} findings (${counts.toSorted().join(', ')})`;
}

function whole(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) {
    console.error(`--${name} is a whole number, not ${text}`);
    process.exit(2);
  }
  return Number(text);
}
