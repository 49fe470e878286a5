import { run } from './run.ts';
const [from = '1', count = '1', print] = process.argv.slice(2);
const t0 = performance.now();
for (let seed = Number(from); seed < Number(from) + Number(count); seed++) {
  const t = performance.now();
  const r = await run(seed, { print: print === undefined ? undefined : (l) => console.log(l) });
  if (r.finding || count === '1') console.log(seed, r.finding?.invariant, r.finding?.detail?.slice(0, 600), 'ms', (performance.now() - t).toFixed(0), 'sim', r.simulatedMs, 'records', r.records, 'answered', r.answered, r.digest.slice(0, 8));
}
console.log(((performance.now() - t0) / Number(count)).toFixed(1), 'ms a run');
