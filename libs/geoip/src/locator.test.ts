import { onSphere } from '@usher/domain';
import { type CityEntry, cityDatabase } from '@usher/testing';
import { describe, expect, test } from 'vitest';
import { Locator } from './locator.ts';
import { openPlaceDatabase } from './place-database.ts';
import { CACHED_NETWORKS_MAX } from './prefix-cache.ts';

const BERLIN = { latitude: 52.52, longitude: 13.4 };
const SYDNEY = { latitude: -33.87, longitude: 151.21 };
/** On the equator and the prime meridian, where a zero is a coordinate. */
const NULL_ISLAND = { latitude: 0, longitude: 0 };

const ENTRIES: readonly CityEntry[] = [
  { network: '81.0.0.0/8', ...BERLIN },
  { network: '81.2.69.128/26', ...SYDNEY },
  { network: '81.2.69.160/32', ...NULL_ISLAND },
  { network: '1.1.1.0/24' },
  { network: '2001:db8::/32', ...BERLIN },
  { network: '2001:db8:1:8000::/49', ...SYDNEY },
  { network: '2001:db8:1::7/128', ...NULL_ISLAND },
];

function shared(bytes: Buffer): SharedArrayBuffer {
  const content = new SharedArrayBuffer(bytes.length);
  Buffer.from(content).set(bytes);
  return content;
}

function locator(bytes: Buffer = cityDatabase(ENTRIES)): Locator {
  const made = new Locator();
  made.use(openPlaceDatabase(shared(bytes)));
  return made;
}

describe.each([24, 28, 32] as const)('a database with records of %i bits', (recordSize) => {
  test('says of both kinds of addresses where they are, by the longest prefix', () => {
    const locate = asking(locator(cityDatabase(ENTRIES, { recordSize })));
    const wanted: readonly (readonly [string, object | undefined])[] = [
      ['81.2.69.1', BERLIN],
      ['81.2.69.128', SYDNEY],
      ['81.2.69.191', SYDNEY],
      ['81.2.69.192', BERLIN],
      ['81.2.69.160', NULL_ISLAND],
      ['::ffff:81.2.69.129', SYDNEY],
      ['1.1.1.1', undefined],
      ['9.9.9.9', undefined],
      ['127.0.0.1', undefined],
      ['2001:db8::1', BERLIN],
      ['2001:db8:1:8000::1', SYDNEY],
      ['2001:db8:1:7fff::1', BERLIN],
      ['2001:db8:1::7', NULL_ISLAND],
      ['2001:db8:1::8', BERLIN],
      ['2001:db9::1', undefined],
      ['', undefined],
      ['unknown', undefined],
    ];
    // Asked again, and in the other order, what is remembered of one network must not be taken for another's.
    for (const [address, place] of [...wanted, ...wanted.toReversed(), ...wanted])
      expect(locate(address), address).toEqual(place && onSphere(place as typeof BERLIN));
  });
});

test('a database without IPv6 knows no IPv6 address', () => {
  const locate = asking(locator(cityDatabase([{ network: '81.0.0.0/8', ...BERLIN }], { ipVersion: 4 })));
  expect(locate('81.2.3.4')).toEqual(onSphere(BERLIN));
  expect(locate('::ffff:81.2.3.4')).toEqual(onSphere(BERLIN));
  expect(locate('5102:304::1')).toBeUndefined();
});

test('another database replaces all that was remembered', () => {
  const made = locator();
  expect(made.locate('81.2.69.1')).toEqual(onSphere(BERLIN));
  made.use(openPlaceDatabase(shared(cityDatabase([{ network: '81.0.0.0/8', ...SYDNEY }]))));
  expect(made.locate('81.2.69.1')).toEqual(onSphere(SYDNEY));
  made.use(undefined);
  expect(made.locate('81.2.69.1')).toBeUndefined();
});

test('a network that was asked for is answered with the same point, so that nothing is made', () => {
  const made = locator();
  expect(made.locate('81.2.69.130')).toBe(made.locate('81.2.69.131'));
});

test('however many networks ask, the answers stay right', () => {
  const made = locator();
  const berlin = onSphere(BERLIN);
  expect(65_536).toBeGreaterThan(2 * CACHED_NETWORKS_MAX);
  for (let network = 0; network < 65_536; network++) {
    const found = made.locate(`81.${network >>> 8}.${network & 255}.1`);
    if (found?.x !== berlin?.x) expect.unreachable(`${network} is elsewhere`);
  }
  expect(made.locate('81.2.69.129')).toEqual(onSphere(SYDNEY));
});

test('what is no City database is refused with the reason', () => {
  const whole = cityDatabase(ENTRIES);
  expect(refused(Buffer.alloc(0))).toThrow('no MaxMind database');
  expect(refused(Buffer.from('PK zip file'))).toThrow('no MaxMind database');
  expect(refused(whole.subarray(0, whole.length / 2))).toThrow('no MaxMind database');
  expect(refused(cityDatabase([{ network: '1.1.1.0/24' }]))).toThrow('no coordinates');
  expect(refused(whole.subarray(0, whole.length - 20))).toThrow();
});

test('damage in the middle costs the answers that it is in, and no more', () => {
  const bytes = cityDatabase([
    { network: '81.0.0.0/8', ...BERLIN },
    { network: '82.0.0.0/8', ...SYDNEY },
  ]);
  // The first record's map gets a type that there is not.
  const first = bytes.indexOf('City of 81.0.0.0/8');
  bytes.set([0x00, 0xf0], bytes.lastIndexOf('city', first) - 2);
  const made = locator(bytes);
  expect(made.locate('81.2.3.4')).toBeUndefined();
  expect(made.locate('82.2.3.4')).toEqual(onSphere(SYDNEY));
});

test('it can say when it was made', () => {
  const built = openPlaceDatabase(shared(cityDatabase(ENTRIES, { builtS: 1_600_000_000 })));
  expect(built.builtMs).toBe(1_600_000_000_000);
});

/** Opening a database, for `toThrow`. */
function refused(bytes: Buffer): () => unknown {
  return () => openPlaceDatabase(shared(bytes));
}

function asking(made: Locator): (address: string) => unknown {
  return (address) => made.locate(address);
}
