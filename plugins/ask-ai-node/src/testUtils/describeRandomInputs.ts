import assert from 'node:assert/strict';
import type { SearchResult } from 'backstage-plugin-ask-ai-common';
import type { DocumentReplacement, EmbeddingVector, IVectorStore } from '../vectorStore';
import { createRandom, type Random } from './random';
import {
  randomEmbedding,
  randomEntityId,
  randomFilter,
  randomSource,
  randomText,
  randomTopK,
  randomVector,
} from './randomInputs';
import { byId, collect, SIMILARITY_TOLERANCE, sample } from './samples';
import { createSuite, type TestFramework, type VectorStoreSetup } from './suite';

/** How much random input a store gets. */
export interface RandomInputOptions {
  /** Default 500. */
  cases?: number;
  /** Equal seeds give equal inputs. Default 1. */
  seed?: number;
}

/** What a case may take beyond the time of any test. */
const MS_PER_CASE = 50;

/** The errors that bad input may have; anything else came from below the store. */
const DOCUMENTED_ERRORS: ReadonlySet<string> = new Set([
  'InvalidVectorError',
  'DimensionMismatchError',
  'ConflictError',
]);

/** The neighbour that must never change. */
const SENTINEL = sample('~sentinel', {
  entityId: 'component:sentinel/sentinel',
  entityName: "Sentinel's “name” 🚀",
  content: "The sentinel stays as it is: '\\' 日本",
  title: 'Sentinel',
  location: '/docs/sentinel',
});

/**
 * Gives a store seeded random inputs, good and bad: Unicode, NUL, unpaired surrogates, quotes, texts
 * of 1 MB, extreme numbers. It must answer each rightly or with a documented error, and in the end
 * hold exactly what it accepted.
 */
export function describeRandomInputs(
  name: string,
  setup: VectorStoreSetup,
  framework: TestFramework,
  { cases = 500, seed = 1 }: RandomInputOptions = {},
): void {
  const { describe, test } = createSuite(setup, framework, cases * MS_PER_CASE);
  describe(`${name} and random input`, () => {
    test(`${cases} random calls (seed ${seed}) end well or with a documented error, and no chunk suffers`, store =>
      new Campaign(store, createRandom(seed)).run(cases));
  });
}

/** Calls a store at random, and knows what it must hold. */
class Campaign {
  private readonly expected = new Map<string, EmbeddingVector>();
  private readonly steps: readonly (() => Promise<void>)[] = [
    () => this.storeOne(),
    () => this.storeOne(),
    () => this.storeBatch(),
    () => this.replaceDocument(),
    () => this.search(),
    () => this.search(),
    () => this.searchRanked(),
    () => this.searchRanked(),
    () => this.readAndRemove(),
  ];

  constructor(
    private readonly store: IVectorStore,
    private readonly random: Random,
  ) {}

  async run(cases: number): Promise<void> {
    await this.store.store(SENTINEL);
    this.accept([SENTINEL]);
    for (let number = 0; number < cases; number++) {
      const step = this.random.pick(this.steps);
      try {
        await step();
        await this.assertNeighbours();
      } catch (error) {
        throw new Error(`Case ${number}: ${(error as Error).message.slice(0, 2_000)}`, {
          cause: error,
        });
      }
    }
    const stored = await collect(this.store.export());
    assert.deepEqual(byId(stored), byId(this.expected.values()));
  }

  private async storeOne(): Promise<void> {
    const embedding = randomEmbedding(this.random, [...this.expected.keys()]);
    if (isSentinels(embedding)) {
      return;
    }
    if (await succeeds(() => this.store.store(embedding))) {
      this.accept([embedding]);
    }
  }

  private async storeBatch(): Promise<void> {
    const known = [...this.expected.keys()];
    const batch = Array.from({ length: this.random.integer(5) }, () =>
      randomEmbedding(this.random, known),
    ).filter(embedding => !isSentinels(embedding));
    if (await succeeds(() => this.store.storeBatch(batch))) {
      this.accept(batch);
    }
  }

  private async replaceDocument(): Promise<void> {
    const { random } = this;
    const key = { entityId: randomEntityId(random), source: randomSource(random) };
    const mine = [...this.expected.values()].filter(({ documentChunk }) =>
      isOf(documentChunk, key),
    );
    const kept = mine
      .filter(({ id, chunkId }) => id === chunkId && random.chance(0.5))
      .map(({ documentChunk }) => ({ ...documentChunk, entityName: randomText(random) }));
    if (random.chance(0.1)) {
      kept.push({ ...sample('gone').documentChunk, entityId: key.entityId });
    }
    const embedded = Array.from({ length: random.integer(3) }, () => {
      const embedding = randomEmbedding(random, []);
      const { documentChunk } = embedding;
      const metadata = { ...documentChunk.metadata, source: key.source };
      return {
        ...embedding,
        documentChunk: { ...documentChunk, metadata, entityId: key.entityId },
      };
    });
    const replacement: DocumentReplacement = {
      ...key,
      fingerprint: randomText(random),
      embedded,
      kept,
    };
    if (await succeeds(() => this.store.replaceDocument(replacement))) {
      for (const { id } of mine) {
        const chunk = kept.find(candidate => candidate.id === id);
        const before = this.expected.get(id);
        if (chunk && before) {
          this.expected.set(id, { ...before, documentChunk: chunk });
        } else {
          this.expected.delete(id);
        }
      }
      this.accept(embedded);
    }
  }

  private async search(): Promise<void> {
    const { random } = this;
    const [vector, topK, filter] = [randomVector(random), randomTopK(random), randomFilter(random)];
    await succeeds(async () => assertHits(await this.store.search(vector, topK, filter), topK));
  }

  private async searchRanked(): Promise<void> {
    const { random } = this;
    const filter = randomFilter(random);
    const topK = randomTopK(random);
    const query = {
      mode: random.pick(['hybrid', 'vector', 'keyword'] as const),
      text: randomText(random),
      vector: random.chance(0.8) ? randomVector(random) : undefined,
      topK,
      filter: typeof filter === 'string' ? { entityIds: [filter] } : filter,
    };
    await succeeds(async () => assertHits(await this.store.searchRanked(query), topK));
  }

  private async readAndRemove(): Promise<void> {
    const { random, store } = this;
    const key = { entityId: randomEntityId(random), source: randomSource(random) };
    await store.count(key.entityId);
    await store.document(key);
    await store.chunkIds(key);
    await store.chunks(key, { from: random.integer(9) - 4, to: random.pick([0, 5, 2 ** 31 - 1]) });
    const removal = random.integer(5);
    if (removal === 0) {
      await store.removeDocument(key);
      this.forget(embedding => isOf(embedding.documentChunk, key));
    } else if (removal === 1) {
      await store.clear(key.entityId);
      this.forget(({ documentChunk }) => documentChunk.entityId === key.entityId);
    }
  }

  private async assertNeighbours(): Promise<void> {
    assert.equal(await this.store.count(), this.expected.size, 'chunks in the store');
    const { entityId } = SENTINEL.documentChunk;
    const [hit] = await this.store.search(SENTINEL.vector, 1, entityId);
    assert.deepEqual(hit?.documentChunk, SENTINEL.documentChunk);
    assert.ok(Math.abs((hit?.similarity ?? 0) - 1) <= SIMILARITY_TOLERANCE);
  }

  private accept(embeddings: readonly EmbeddingVector[]): void {
    for (const embedding of embeddings) {
      this.expected.set(embedding.id, embedding);
    }
  }

  private forget(isGone: (embedding: EmbeddingVector) => boolean): void {
    for (const embedding of this.expected.values()) {
      if (isGone(embedding)) {
        this.expected.delete(embedding.id);
      }
    }
  }
}

function isSentinels({ id }: EmbeddingVector): boolean {
  return id === SENTINEL.id;
}

function isOf(
  { entityId, metadata }: EmbeddingVector['documentChunk'],
  key: Pick<DocumentReplacement, 'entityId' | 'source'>,
): boolean {
  return entityId === key.entityId && metadata.source === key.source;
}

/** False when the call was refused as documented. */
async function succeeds(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof Error && DOCUMENTED_ERRORS.has(error.name)) {
      return false;
    }
    throw error;
  }
}

function assertHits(hits: readonly SearchResult[], topK: number): void {
  assert.ok(hits.length <= Math.max(0, topK || 0), `${hits.length} hits, topK ${topK}`);
  for (const { similarity } of hits) {
    assert.ok(Math.abs(similarity) <= 1 + SIMILARITY_TOLERANCE, `a similarity of ${similarity}`);
  }
}
