import { describe, expect, it } from 'vitest';
import { duration, latency, part, plural } from './formatUnits';

describe('part', () => {
  it.each([
    [0.97, '0.97'],
    [0.57, '0.57'],
    [0.9499, '0.949'],
    [0.99999, '0.999'],
    [1, '1'],
    [0, '0'],
  ])('writes %d as %s', (value, text) => {
    expect(part(value)).toBe(text);
  });
});

describe('latency', () => {
  it.each([
    [0.4, '0.40 ms'],
    [38.24, '38.2 ms'],
  ])('writes %d as %s', (value, text) => {
    expect(latency(value)).toBe(text);
  });
});

describe('duration', () => {
  it.each([
    [-5, '0.0 s'],
    [4_200, '4.2 s'],
    [59_000, '59 s'],
    [720_000, '12 min'],
    [10_800_000, '3 h'],
  ])('writes %d as %s', (value, text) => {
    expect(duration(value)).toBe(text);
  });
});

describe('plural', () => {
  it('counts', () => {
    expect([plural(1, 'row'), plural(2_000, 'row'), plural(0, 'search', 'searches')]).toEqual([
      '1 row',
      '2,000 rows',
      '0 searches',
    ]);
  });
});
