import { describe, expect, it } from 'vitest';
import { datasetRows, queries } from './dataset';
import { exactNeighbours, recallOf } from './exact';

const dot = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

describe('exactNeighbours', () => {
  it.each([3, 16, 383])('finds what sorting all rows finds, in %i dimensions', dimensions => {
    const rows = [...datasetRows(500, dimensions)];
    const wanted = queries(7, dimensions);
    const sorted = wanted.map(query =>
      rows
        .toSorted((a, b) => dot(b.vector, query) - dot(a.vector, query))
        .slice(0, 10)
        .map(({ id }) => id),
    );
    expect(exactNeighbours(rows, wanted, 10)).toEqual(sorted);
  });

  it('finds all rows when there are fewer than asked for', () => {
    const rows = [...datasetRows(3, 8)];
    const [found] = exactNeighbours(rows, queries(1, 8), 10);
    expect(found?.toSorted()).toEqual(rows.map(({ id }) => id));
  });
});

describe('recallOf', () => {
  it('is the part of the exact neighbours that was found', () => {
    const exact = [
      ['a', 'b'],
      ['c', 'd'],
    ];
    expect(recallOf([['b', 'a'], ['c']], exact)).toBe(0.75);
    expect(recallOf([[], ['x', 'y']], exact)).toBe(0);
  });
});
