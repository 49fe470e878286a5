import { expect, test } from 'vitest';
import { distanceKm, onSphere, type Place, placeOn } from './place.ts';

const between = (from: Place, to: Place): number => distanceKm(onSphere(from)!, onSphere(to)!);
const at = (latitude: number, longitude: number): Place => ({ latitude, longitude });

test.each([
  ['Berlin and Paris', at(52.52, 13.405), at(48.8566, 2.3522), 877],
  ['Quito and Singapore', at(-0.1807, -78.4678), at(1.3521, 103.8198), 19_743],
  ['two places astride the date line', at(0, 179.5), at(0, -179.5), 111],
  ['the poles', at(90, 0), at(-90, 123), 20_015],
  ['a place and itself', at(0, 0), at(0, 0), 0],
])('the distance between %s', (_name, from, to, km) => {
  expect(Math.abs(between(from, to) - km)).toBeLessThan(1 + km / 200);
  expect(between(to, from)).toBe(between(from, to));
});

test.each([at(90.1, 0), at(0, 180.1), at(Number.NaN, 0), at(0, Number.POSITIVE_INFINITY)])(
  'a coordinate out of range is no place: %o',
  (place) => {
    expect(onSphere(place)).toBeUndefined();
  },
);

test.each([
  [0, 0],
  [90, 0],
  [-33.87, 151.21],
  [12.5, -180],
])('a place on the sphere is that place again: %d, %d', (latitude, longitude) => {
  expect(placeOn(onSphere({ latitude, longitude })!)).toEqual({ latitude, longitude });
});
