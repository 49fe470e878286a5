import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProxyHeader } from './parse.ts';
import { proxyHeaderV1, proxyHeaderV2 } from './write.ts';

const line = (text: string) => parseProxyHeader(Buffer.from(text, 'latin1'));

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n', '192.0.2.1', 56_324],
    ['PROXY TCP6 2001:db8::1 ::1 1 65535\r\n', '2001:db8::1', 1],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n', '::ffff:192.0.2.1', 1],
  ])('%j names the client', (text, address, port) => {
    expect(line(`${text}GET /`)).toMatchObject({
      kind: 'header',
      length: text.length,
      source: { address, port },
    });
  });

  test('UNKNOWN leaves the socket address to count, whatever follows on the line', () => {
    expect(line('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n')).toMatchObject({
      kind: 'header',
      source: undefined,
    });
  });

  test.each([
    'GET / HTTP/1.1\r\n\r\n',
    'PROXY\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 x\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 56324 443\r\n',
    'PROXY TCP4 192.0.2.1. 198.51.100.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 01 443\r\n',
    'PROXY TCP6 1::2::3 ::1 1 2\r\n',
    'PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 ::1 1 2\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(107)}`,
  ])('%j is refused', (text) => {
    expect(line(text)).toMatchObject({ kind: 'invalid' });
  });
});

describe('version 2', () => {
  const header = proxyHeaderV2({ address: '192.0.2.1', port: 1 }, { address: '192.0.2.2', port: 2 });
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(header);
    copy.writeUInt8(value, at);
    return copy;
  };

  test('LOCAL and unknown families leave the socket address to count', () => {
    expect(parseProxyHeader(changed(12, 0x20))).toMatchObject({ kind: 'header', source: undefined });
    expect(parseProxyHeader(changed(13, 0x31))).toMatchObject({ kind: 'header', source: undefined });
  });

  test('another version, an unknown command, too much data and too little for the addresses are refused', () => {
    for (const bad of [changed(12, 0x11), changed(12, 0x22), changed(14, 0xff)]) {
      expect(parseProxyHeader(bad)).toMatchObject({ kind: 'invalid' });
    }
    expect(parseProxyHeader(changed(15, 4))).toMatchObject({ kind: 'invalid' });
  });

  test('further data after the addresses is passed over', () => {
    const longer = Buffer.concat([changed(15, 15), Buffer.from([4, 0, 0])]);
    expect(parseProxyHeader(longer)).toMatchObject({ kind: 'header', length: longer.length });
  });
});

const endpointV4 = fc.record({ address: fc.ipV4(), port: fc.integer({ min: 0, max: 65_535 }) });
const endpointV6 = fc.record({ address: fc.ipV6(), port: fc.integer({ min: 0, max: 65_535 }) });
const pair = fc.oneof(fc.tuple(endpointV4, endpointV4), fc.tuple(endpointV6, endpointV6));

test('what is written is read back, and no part of it is taken for the whole', () => {
  fc.assert(
    fc.property(pair, ([source, destination]) => {
      for (const header of [proxyHeaderV1(source, destination), proxyHeaderV2(source, destination)]) {
        const parsed = parseProxyHeader(Buffer.concat([header, Buffer.from('GET /')]));
        if (parsed.kind !== 'header') throw new Error(JSON.stringify(parsed));
        expect(parsed.length).toBe(header.length);
        expect(parsed.source?.port).toBe(source.port);
        const again = proxyHeaderV2(parsed.source ?? source, parsed.destination ?? destination);
        expect(again).toEqual(proxyHeaderV2(source, destination));
        for (let end = 0; end < header.length; end++) {
          expect(parseProxyHeader(header.subarray(0, end))).toEqual({ kind: 'incomplete' });
        }
      }
    }),
  );
});
