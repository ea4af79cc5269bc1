import { expect, it } from 'vitest';
import { isInRange } from './nodeVersion.mjs';

const RANGE = '>=20.19 || 22 || 24';

it.each(['20.19.0', '20.20.2', '22.0.0', '24.11.1', '26.0.0'])('takes Node %s', version => {
  expect(isInRange(version, RANGE)).toBe(true);
});

it.each(['20.18.9', '18.20.8', '9.99.0'])('refuses Node %s', version => {
  expect(isInRange(version, RANGE)).toBe(false);
});

it('takes only the given major without a comparison', () => {
  expect(['21.9.0', '22.1.0', '23.0.0'].map(version => isInRange(version, '22'))).toEqual([
    false,
    true,
    false,
  ]);
});

it('refuses a range that it does not understand', () => {
  expect(() => isInRange('22.0.0', '^22.1')).toThrow('engines.node');
});
