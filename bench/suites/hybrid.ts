import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { entityOf, queries } from '../dataset';
import { compare, latencyRounds } from '../measure';
import { assertCorrect, p50 } from '../measurement';
import { openStore } from '../stores';
import { type Suite, type SuiteOptions, TOP_K } from '../suite';
import { naturalQuestions, technicalTexts } from '../texts';
import { clusteredVectors } from '../vectors';

const TEXT_SEED = 11;
const QUESTION_SEED = 12;
const VECTOR_SEED = 1;

/** A hybrid search answers in at most this many times a search by vector alone. */
const AT_MOST = 4;

/** Natural questions by vector and words together, against a search by vector alone. */
export const hybrid: Suite = {
  name: 'hybrid',
  what: 'hybrid and keyword search of natural questions, against vector search alone',
  takes: '3 minutes',
  rows: 100_000,
  shortRows: 2_000,
  async run(options) {
    const url = await options.newDatabase();
    const store = await openStore(url, options);
    try {
      options.progress(`loading ${options.rows} rows`);
      await store.storeAll(embeddings(options));
      await measure(store, options);
    } finally {
      await store.close();
    }
  },
};

async function measure(store: PgVectorStore, options: SuiteOptions): Promise<void> {
  const { rows, dimensions, effort, report } = options;
  const questions = naturalQuestions(firstTexts(Math.min(effort.calls, rows)), QUESTION_SEED);
  const vectors = queries(questions.length, dimensions);
  const found: RankedResult[][] = [];
  const ranked = (mode: 'hybrid' | 'keyword') => async (call: number) => {
    const hits = await store.searchRanked({
      mode,
      text: questions[call] as string,
      vector: vectors[call],
      topK: TOP_K,
    });
    if (mode === 'hybrid') {
      found[call] = hits;
    }
  };
  const rounds = await latencyRounds(
    { ...effort, calls: questions.length },
    {
      vector: call => store.search(vectors[call] as Float32Array, TOP_K),
      hybrid: ranked('hybrid'),
      keyword: ranked('keyword'),
    },
  );
  const target = { atMost: AT_MOST };
  const toVector = `against vector search, k = ${TOP_K}, ${rows} rows, p50`;
  report(p50(`hybrid search ${toVector}`, compare(rounds, 'hybrid', 'vector'), target));
  report(p50(`keyword search ${toVector}`, compare(rounds, 'keyword', 'vector')));
  const { floor, ours } = compare(rounds, 'hybrid', 'vector');
  report({ what: 'hybrid search, p95', unit: 'ms', floor: floor.p95Ms, ours: ours.p95Ms });
  for (const [call, hits] of found.entries()) {
    assertCorrect(hits.length === TOP_K, `question ${call} has ${hits.length} hits`);
  }
  const answered = found.filter((hits, call) =>
    hits.some(({ documentChunk }) => documentChunk.id === idOf(call)),
  ).length;
  report({
    what: 'share of questions whose text is found by its words',
    unit: 'share',
    ours: answered / found.length,
  });
}

function* embeddings({ rows, dimensions }: SuiteOptions): Generator<EmbeddingVector> {
  const vectors = clusteredVectors(dimensions, VECTOR_SEED);
  const texts = technicalTexts(TEXT_SEED);
  for (let row = 0; row < rows; row++) {
    const { title, content } = texts.next();
    yield {
      id: idOf(row),
      chunkId: idOf(row),
      vector: vectors.next(),
      documentChunk: {
        id: idOf(row),
        entityId: entityOf(row),
        entityName: entityOf(row),
        content,
        metadata: { source: 'techdocs', chunkIndex: 0, totalChunks: 1, title },
      },
    };
  }
}

function firstTexts(count: number): { content: string }[] {
  const texts = technicalTexts(TEXT_SEED);
  return Array.from({ length: count }, () => texts.next());
}

function idOf(row: number): string {
  return `chunk-${String(row).padStart(8, '0')}`;
}
