import { InMemoryVectorStore } from '../../plugins/ask-ai-backend/src/services/InMemoryVectorStore';
import { datasetRows, queries } from '../dataset';
import { exactNeighbours, recallOf } from '../exact';
import { compare, latencyRounds } from '../measure';
import { assertCorrect, p50 } from '../measurement';
import { hitIds, toEmbedding } from '../stores';
import { type Suite, TOP_K } from '../suite';

/** A call takes as long as a hundred searches by an index. */
const MAX_CALLS = 20;

/** The exact search of the memory store against a bare loop of dot products. */
export const memory: Suite = {
  name: 'memory',
  what: 'exact search in memory against a bare dot-product loop over one Float32Array',
  takes: '1 minute',
  rows: 100_000,
  shortRows: 2_000,
  async run({ rows, dimensions, effort, report, progress }) {
    progress(`loading ${rows} rows`);
    const store = InMemoryVectorStore.create({ dimensions });
    const matrix = new Float32Array(rows * dimensions);
    let position = 0;
    for (const row of datasetRows(rows, dimensions)) {
      matrix.set(row.vector, position);
      position += dimensions;
      await store.store(toEmbedding(row));
    }
    const calls = Math.min(MAX_CALLS, effort.calls);
    const vectors = queries(calls, dimensions);
    const scores = new Float64Array(rows);
    const found: string[][] = [];
    const rounds = await latencyRounds(
      { ...effort, calls },
      {
        floor: async call => dotProducts(matrix, vectors[call] as Float32Array, scores),
        ours: async call => {
          found[call] = hitIds(await store.search(vectors[call] as Float32Array, TOP_K));
        },
      },
    );
    const latency = compare(rounds, 'ours', 'floor');
    report(p50(`exact search, k = ${TOP_K}, ${rows} rows, p50`, latency, { atMost: 1.3 }));
    const recall = recallOf(found, exactNeighbours(datasetRows(rows, dimensions), vectors, TOP_K));
    assertCorrect(recall === 1, `an exact search found ${recall} of the nearest`);
  },
};

function dotProducts(matrix: Float32Array, query: Float32Array, scores: Float64Array): void {
  const dimensions = query.length;
  for (let row = 0; row < scores.length; row++) {
    let sum = 0;
    const offset = row * dimensions;
    for (let i = 0; i < dimensions; i++) {
      sum += (matrix[offset + i] as number) * (query[i] as number);
    }
    scores[row] = sum;
  }
}
