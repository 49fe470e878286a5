import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const pools = 'pools: { infer: { agents: true }, web: {} }';

test('the API for clients of Opsen has its address, its keys and where endpoints may be', () => {
  const text = `
opsen: { address: ":8081", pool: infer, keys: [a, "env:KEY"], endpoints: [10.0.0.0/8, "fd00::/8", "*.GPU.example.com"], stale_after: 90s }
${pools}`;
  const { opsen } = parseConfigText(text, { env: { KEY: 'b' } }).local;
  expect(opsen).toEqual({
    host: '0.0.0.0',
    port: 8081,
    pool: 'infer',
    keys: ['a', 'b'],
    endpoints: { networks: ['10.0.0.0/8', 'fd00::/8'], names: ['*.gpu.example.com'] },
    staleAfterMs: 90_000,
  });
});

test('by default it is for this machine, and endpoints are in private networks', () => {
  const { opsen } = parseConfigText(`opsen: { pool: infer }\n${pools}`).local;
  expect(opsen).toMatchObject({
    host: '127.0.0.1',
    port: 9092,
    keys: [],
    staleAfterMs: 300_000,
    endpoints: { networks: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'], names: [] },
  });
  expect(parseConfigText('{}').local).not.toHaveProperty('opsen');
});

test.each([
  ['opsen: { pool: infr }', 'there is no pool "infr", did you mean "infer"?'],
  ['opsen: { pool: web }', 'pool "web" takes no agents; it needs `agents: true`'],
  ['opsen: { pool: infer, address: ":8081" }', 'there are no keys; add keys or use 127.0.0.1'],
  ['opsen: { pool: infer, address: "127.0.0.1:9091" }', 'is taken by'],
  ['opsen: { pool: infer, endpoints: ["10.0.0.1/8"] }', 'has bits set after its prefix'],
  ['opsen: { pool: infer, endpoints: ["http://a"] }', 'is not a network'],
  ['opsen: { pool: infer, stale_after: 4s }', 'out of range; it goes from 5s to 168h'],
  ['opsen: { pool: infer, endpoints: [] }', 'expected a list of at least 1'],
])('what makes no sense is told: %s', (text, fault) => {
  expect(faultsOf(`${text}\n${pools}`).join('\n')).toContain(fault);
});
