import { describe, expect, it } from 'vitest';
import { NO_RESOURCES } from './tier.ts';
import { detectTier, jsonField, type TierClaims } from './tier-detection.ts';

const TIERS = ['small', 'large'].map((name) => ({ name, resources: NO_RESOURCES }));
const EVERYWHERE = { field: 'tier', fieldBytesMax: 1000, query: 'tier', header: 'x-tier', default: 'small' };

function claims(given: { field?: string; query?: string; header?: string }): TierClaims {
  return { field: () => given.field, query: () => given.query, header: () => given.header };
}

describe('the tier of a request', () => {
  it.each([
    [{ field: 'large', query: 'small', header: 'small' }, 1],
    [{ query: 'large', header: 'small' }, 1],
    [{ header: 'large' }, 1],
    [{}, 0],
  ])('is named by the first place that names one: %j', (given, index) => {
    expect(detectTier(TIERS, EVERYWHERE, claims(given))).toBe(index);
  });

  it('is looked for only where the route says so', () => {
    const only = { fieldBytesMax: 0, header: 'x-tier' };
    expect(detectTier(TIERS, only, claims({ field: 'large', query: 'large' }))).toContain('no tier');
  });

  it.each(['Large', '', 'constructor'])('is refused when there is none of that name: %j', (name) => {
    expect(detectTier(TIERS, EVERYWHERE, claims({ header: name }))).toBe(
      `there is no tier ${JSON.stringify(name)}`,
    );
  });

  it('is the only one there is in a pool without tiers', () => {
    expect(detectTier([], EVERYWHERE, claims({ header: 'anything' }))).toBe(0);
    expect(detectTier(undefined, undefined, claims({}))).toBe(0);
  });
});

describe('a field of a JSON body', () => {
  it.each([
    ['{"tier":"large"}', 'large'],
    ['{"tier":7}', undefined],
    ['{"tier":{}}', undefined],
    ['{}', undefined],
    ['["tier"]', undefined],
    ['null', undefined],
    ['"tier"', undefined],
    ['{"tier":"lar', undefined],
    ['', undefined],
  ])('%s', (text, value) => {
    expect(jsonField(text, 'tier')).toBe(value);
  });

  it('is not one that every object has', () => {
    expect(jsonField('{}', '__proto__')).toBeUndefined();
    expect(jsonField('{}', 'constructor')).toBeUndefined();
  });
});
