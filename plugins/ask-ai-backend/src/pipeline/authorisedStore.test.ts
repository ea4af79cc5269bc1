import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import type { RankedQuery } from 'backstage-plugin-ask-ai-node';
import { describe, expect, it } from 'vitest';
import { READS_ALL, type ReadAccess } from './authorise';
import { authorisedStore, exportReadable, type ReadableStore } from './authorisedStore';

const ENTITIES = 1_000;
const nameOf = (index: number) => `component:default/e${index}`;
const indexOf = (entityId: string) => Number(entityId.slice('component:default/e'.length));

function hit(index: number): RankedResult {
  return {
    documentChunk: {
      id: `c${index}`,
      entityId: nameOf(index),
      entityName: `e${index}`,
      content: `Text ${index}`,
      metadata: { source: 'catalog', chunkIndex: 0, totalChunks: 1 },
    },
    similarity: 1 - index / ENTITIES,
    score: 1 / (60 + index),
  };
}

/** Every question finds all entities, in the order of their numbers. */
class NumberedStore implements ReadableStore {
  readonly dimensions = 8;
  readonly queries: RankedQuery[] = [];

  async searchRanked(query: RankedQuery): Promise<RankedResult[]> {
    this.queries.push(query);
    const wanted = query.filter?.entityIds;
    const numbers = wanted
      ? wanted.map(indexOf).sort((a, b) => a - b)
      : Array.from({ length: ENTITIES }, (_, index) => index);
    return numbers.slice(0, query.topK).map(hit);
  }

  async chunks({ entityId }: { entityId: string }) {
    return [hit(indexOf(entityId)).documentChunk];
  }

  async *export() {
    for (let index = 0; index < ENTITIES; index++) {
      yield { id: `c${index}`, chunkId: `c${index}`, vector: [1], ...hit(index) };
    }
  }
}

/** Reads the entities whose number fits; counts what it is asked. */
class NumberedAccess implements ReadAccess {
  readonly scope = 'some';
  asked = 0;
  pagesRead = 0;

  constructor(private readonly fits: (index: number) => boolean) {}

  async readable(entityIds: Iterable<string>): Promise<Set<string>> {
    const ids = [...entityIds];
    this.asked += ids.length;
    return new Set(ids.filter(entityId => this.fits(indexOf(entityId))));
  }

  async *pages(): AsyncIterable<string[]> {
    for (let start = 0; start < ENTITIES; start += 100) {
      this.pagesRead += 1;
      yield [...(await this.readable(Array.from({ length: 100 }, (_, i) => nameOf(start + i))))];
    }
  }
}

const search = async (
  access: ReadAccess,
  query: Partial<RankedQuery> = {},
  options: { budgetMs: number; now?: () => number } = { budgetMs: 60_000 },
) => {
  const store = new NumberedStore();
  const view = authorisedStore(store, access, options);
  const hits = await view.searchRanked({ mode: 'vector', text: 'x', topK: 5, ...query });
  return {
    numbers: hits.map(({ documentChunk }) => indexOf(documentChunk.entityId)),
    hits,
    topKs: store.queries.map(({ topK }) => topK),
    wasCut: view.wasCut,
  };
};

describe('authorisedStore', () => {
  it('asks for exactly topK hits when the caller may read everything', async () => {
    expect(await search(READS_ALL)).toMatchObject({ numbers: [0, 1, 2, 3, 4], topKs: [5] });
  });

  it('does not even search for a caller who may read nothing', async () => {
    const none = {
      scope: 'none',
      readable: async () => new Set(),
      async *pages() {},
    } as ReadAccess;
    expect(await search(none)).toMatchObject({ numbers: [], topKs: [] });
  });

  it('fills topK from one window when enough of it is readable', async () => {
    const even = new NumberedAccess(index => index % 2 === 0);
    expect(await search(even)).toMatchObject({ numbers: [0, 2, 4, 6, 8], topKs: [50] });
    expect(even.pagesRead).toBe(0);
  });

  it('looks at a larger window when the first has too few', async () => {
    const later = new NumberedAccess(index => index >= 100);
    expect(await search(later)).toMatchObject({
      numbers: [100, 101, 102, 103, 104],
      topKs: [50, 200],
    });
  });

  it('lists what is readable and searches only that when windows do not help', async () => {
    const last = new NumberedAccess(index => index >= 997);
    expect(await search(last)).toMatchObject({
      numbers: [997, 998, 999],
      topKs: [50, 200, 5],
      wasCut: false,
    });
  });

  it('checks the entities of a narrow filter first', async () => {
    const odd = new NumberedAccess(index => index % 2 === 1);
    const filter = { entityIds: [4, 5, 6, 7].map(nameOf) };
    expect(await search(odd, { filter })).toMatchObject({ numbers: [5, 7], topKs: [5] });
    expect(odd.asked).toBe(4);
  });

  it('returns what it knows to be readable when the time is over, and says so', async () => {
    let time = 0;
    const now = () => {
      time += 60;
      return time;
    };
    const few = new NumberedAccess(index => index === 3 || index >= 900);
    expect(await search(few, {}, { budgetMs: 100, now })).toMatchObject({
      numbers: [3],
      topKs: [50, 200],
      wasCut: true,
    });
  });

  it('tells by no score how many hidden hits were better', async () => {
    const last = new NumberedAccess(index => index >= 40);
    const { hits } = await search(last, { mode: 'hybrid' });
    const first = await search(new NumberedAccess(() => true), { mode: 'hybrid' });
    expect(hits.map(({ score }) => score)).toEqual(first.hits.map(({ score }) => score));
  });

  it('gives no text around a hit of an entity that is not readable', async () => {
    const even = new NumberedAccess(index => index % 2 === 0);
    const view = authorisedStore(new NumberedStore(), even, { budgetMs: 1_000 });
    const range = { from: 0, to: 1 };
    expect(await view.chunks({ entityId: nameOf(2), source: 'catalog' }, range)).toHaveLength(1);
    expect(await view.chunks({ entityId: nameOf(3), source: 'catalog' }, range)).toEqual([]);
  });
});

describe('exportReadable', () => {
  it('gives what is readable, in order', async () => {
    const ids: string[] = [];
    const access = new NumberedAccess(index => index % 300 === 0);
    for await (const { id } of exportReadable(new NumberedStore(), access)) {
      ids.push(id);
    }
    expect(ids).toEqual(['c0', 'c300', 'c600', 'c900']);
  });
});
