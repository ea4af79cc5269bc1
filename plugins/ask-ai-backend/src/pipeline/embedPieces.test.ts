import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halvesOf, meanDirection } from './embedPieces';

const RUNS = 500;

describe('halvesOf', () => {
  it('cuts at the white space nearest to the middle', () => {
    const text = 'one two three four five six seven eight nine';
    expect(halvesOf(text)).toEqual(['one two three four five', 'six seven eight nine']);
  });

  it('cuts a text without white space between two characters', () => {
    const halves = halvesOf('😀'.repeat(33));
    expect(halves).toEqual(['😀'.repeat(17), '😀'.repeat(16)]);
  });

  it('does not cut a short text', () => {
    expect(halvesOf('just a few words')).toBeUndefined();
  });

  it(`loses nothing but white space and makes both halves shorter (${RUNS} random texts)`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 16, maxLength: 100 }), text => {
        const halves = halvesOf(text);
        if (!halves) return;
        const withoutSpace = (part: string) => part.replace(/\s/g, '');
        expect(halves.map(withoutSpace).join('')).toBe(withoutSpace(text));
        expect(Math.max(...halves.map(({ length }) => length))).toBeLessThan(text.length);
      }),
      { numRuns: RUNS, seed: 3 },
    );
  });
});

describe('meanDirection', () => {
  const direction = (...vectors: [vector: number[], weight: number][]) => [
    ...meanDirection(
      vectors.map(([vector]) => Float32Array.from(vector)),
      vectors.map(([, weight]) => weight),
    ),
  ];

  it('is a unit vector between the directions, whatever their lengths', () => {
    const [x, y] = direction([[2, 0], 1], [[0, 9], 1]);
    expect(x).toBeCloseTo(Math.SQRT1_2, 6);
    expect(y).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it('leans to the heavier one', () => {
    const [x, y] = direction([[1, 0], 3], [[0, 1], 4]);
    expect(x).toBeCloseTo(0.6, 6);
    expect(y).toBeCloseTo(0.8, 6);
  });

  it('is the first one when they cancel out', () => {
    expect(direction([[1, 0], 1], [[-1, 0], 1])).toEqual([1, 0]);
  });
});
