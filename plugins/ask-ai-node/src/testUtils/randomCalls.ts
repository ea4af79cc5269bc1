import assert from 'node:assert/strict';
import type { SearchResult } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentReplacement,
  EmbeddingVector,
  IVectorStore,
  StoredDocument,
} from '../vectorStore';
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
import { streamOf } from './streams';

/** What came of random calls. */
export interface RandomCallsResult {
  cases: number;
  /** How many calls were refused, by the name of the error; the others ended well. */
  refused: Record<string, number>;
}

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
 * Gives an empty store seeded random inputs, good and bad: Unicode, NUL, unpaired surrogates, quotes,
 * texts of 1 MB, extreme numbers. It must answer each rightly or with a documented error, and in the end
 * hold exactly what it accepted.
 *
 * @param options - `onCase` is called after each case with how many there were.
 * @throws Error that names the case.
 */
export function runRandomCalls(
  store: IVectorStore,
  options: { cases: number; seed: number; onCase?(done: number): void },
): Promise<RandomCallsResult> {
  return new Campaign(store, createRandom(options.seed)).run(options);
}

/** Calls a store at random, and knows what it must hold. */
class Campaign {
  private readonly expected = new Map<string, EmbeddingVector>();
  private readonly refused: Record<string, number> = {};
  private readonly steps: readonly (() => Promise<void>)[] = [
    () => this.storeOne(),
    () => this.storeOne(),
    () => this.storeBatch(),
    () => (this.random.chance(0.7) ? this.storeAll() : this.replaceAll()),
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

  async run({
    cases,
    onCase = () => {},
  }: Parameters<typeof runRandomCalls>[1]): Promise<RandomCallsResult> {
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
      onCase(number + 1);
    }
    const stored = await collect(this.store.export());
    assert.deepEqual(byId(stored), byId(this.expected.values()));
    return { cases, refused: this.refused };
  }

  private async storeOne(): Promise<void> {
    const embedding = randomEmbedding(this.random, [...this.expected.keys()]);
    if (isSentinels(embedding)) {
      return;
    }
    if (await this.succeeds(() => this.store.store(embedding))) {
      this.accept([embedding]);
    }
  }

  private async storeBatch(): Promise<void> {
    const batch = this.randomBatch();
    if (await this.succeeds(() => this.store.storeBatch(batch))) {
      this.accept(batch);
    }
  }

  /** In one batch, so that it is stored as a whole or not at all. */
  private async storeAll(): Promise<void> {
    const batch = this.randomBatch();
    if (await this.succeeds(() => this.store.storeAll(streamOf(batch)))) {
      this.accept(batch);
    }
  }

  /** By most of what is there, and by new ones. */
  private async replaceAll(): Promise<void> {
    const { random } = this;
    const known = [...this.expected.values()].filter(
      embedding => isSentinels(embedding) || random.chance(0.9),
    );
    const embeddings = [...known, ...this.randomBatch()];
    const records = Array.from({ length: random.integer(3) }, () => this.randomRecord());
    const load = () =>
      this.store.replaceAll(streamOf(embeddings), { documents: () => records.values() });
    if (await this.succeeds(load)) {
      this.expected.clear();
      this.accept(embeddings);
    }
  }

  private randomBatch(): EmbeddingVector[] {
    const known = [...this.expected.keys()];
    return Array.from({ length: this.random.integer(5) }, () =>
      randomEmbedding(this.random, known),
    ).filter(embedding => !isSentinels(embedding));
  }

  private randomRecord(): StoredDocument {
    const { random } = this;
    return {
      entityId: randomEntityId(random),
      source: randomSource(random),
      fingerprint: randomText(random),
      chunkCount: random.integer(9),
    };
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
    if (await this.succeeds(() => this.store.replaceDocuments([replacement]))) {
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
    await this.succeeds(async () =>
      assertHits(await this.store.search(vector, topK, filter), topK),
    );
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
    await this.succeeds(async () => assertHits(await this.store.searchRanked(query), topK));
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

  /** False when the call was refused as documented. */
  private async succeeds(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      return true;
    } catch (error) {
      const { name } = error as Error;
      if (DOCUMENTED_ERRORS.has(name)) {
        this.refused[name] = (this.refused[name] ?? 0) + 1;
        return false;
      }
      throw error;
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

function assertHits(hits: readonly SearchResult[], topK: number): void {
  assert.ok(hits.length <= Math.max(0, topK || 0), `${hits.length} hits, topK ${topK}`);
  for (const { similarity } of hits) {
    assert.ok(Math.abs(similarity) <= 1 + SIMILARITY_TOLERANCE, `a similarity of ${similarity}`);
  }
}
