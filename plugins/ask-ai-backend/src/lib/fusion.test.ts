import { describe, expect, it } from 'vitest';
import { collapseDuplicates, fuseRanks, legSize } from './fusion';

function hit(id: string, content: string, entityId = 'component:default/a') {
  return {
    similarity: 1,
    documentChunk: {
      id,
      entityId,
      entityName: 'A',
      content,
      metadata: { source: 'techdocs' as const, chunkIndex: 0, totalChunks: 1 },
    },
  };
}

const idsOf = (hits: ReturnType<typeof hit>[]) => hits.map(({ documentChunk }) => documentChunk.id);

describe('fuseRanks', () => {
  it('adds up 1 / (60 + rank) over the legs', () => {
    const scores = fuseRanks([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    expect(Object.fromEntries(scores)).toEqual({
      a: 1 / 61,
      b: 1 / 62 + 1 / 61,
      c: 1 / 62,
    });
  });

  it('puts what two legs rank tenth above what one leg ranks first', () => {
    const others = (leg: string) => Array.from({ length: 9 }, (_, rank) => `${leg}${rank}`);
    const scores = fuseRanks([
      [...others('x'), 'both'],
      [...others('y'), 'both'],
    ]);
    expect(scores.get('both')).toBeGreaterThan(scores.get('x0') ?? 0);
  });

  it('gives nothing for legs that found nothing', () => {
    expect(fuseRanks([[], []]).size).toBe(0);
  });
});

describe('legSize', () => {
  it('is four times what is asked for, and at least 50', () => {
    expect([1, 12, 13, 100].map(legSize)).toEqual([50, 50, 52, 400]);
  });
});

describe('collapseDuplicates', () => {
  it('keeps the first of an entity that say the same, whatever case and white space', () => {
    const hits = [hit('a', 'Use it.'), hit('b', ' use\n IT. '), hit('c', 'Use that.')];
    expect(idsOf(collapseDuplicates(hits))).toEqual(['a', 'c']);
  });

  it('keeps equal texts of two entities unless the caller may read all of them', () => {
    const hits = [hit('a', 'Use it.'), hit('b', 'Use it.', 'component:default/b')];
    expect(idsOf(collapseDuplicates(hits))).toEqual(['a', 'b']);
    expect(idsOf(collapseDuplicates(hits, 'all'))).toEqual(['a']);
  });
});
