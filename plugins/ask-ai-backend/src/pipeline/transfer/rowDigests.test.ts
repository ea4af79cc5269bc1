import { describe, expect, it } from 'vitest';
import { RowDigests } from './rowDigests';

function digests(...values: number[]): RowDigests {
  const all = new RowDigests();
  for (const value of values) {
    all.add(BigInt(value));
  }
  return all;
}

describe('RowDigests', () => {
  it('finds what the other lacks, in whatever order', () => {
    expect(digests(5, 1, 9, 3).without(digests(3, 5))).toEqual(new Set([1n, 9n]));
    expect(digests(3, 5).without(digests(5, 1, 3))).toEqual(new Set());
    expect(digests().without(digests(1))).toEqual(new Set());
  });

  it('counts rows that are there several times', () => {
    expect(digests(2, 2).without(digests(2))).toEqual(new Set([2n]));
    expect(digests(2, 2).without(digests(2, 2))).toEqual(new Set());
  });

  it('holds any number', () => {
    const many = digests(...Array.from({ length: 10_000 }, (_, index) => index));
    expect(many.count).toBe(10_000);
    expect(many.without(digests(7)).size).toBe(9_999);
  });
});
