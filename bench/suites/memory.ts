import { InMemoryVectorStore } from '../../plugins/ask-ai-backend/src/services/InMemoryVectorStore';
import { datasetRows, queries } from '../dataset';
import { toEmbedding } from '../embedding';
import { compareLatency } from '../measure';
import type { Suite } from '../suite';
import { milliseconds } from '../table';

const TOP_K = 10;
const CALLS = 20;

/** The exact search of the memory store against a bare loop of dot products. */
export const memory: Suite = {
  name: 'memory',
  what: 'exact search in memory against a bare dot-product loop over one Float32Array',
  rows: 100_000,
  async run({ rows, dimensions }) {
    const store = InMemoryVectorStore.create({ dimensions });
    const matrix = new Float32Array(rows * dimensions);
    let position = 0;
    for (const row of datasetRows(rows, dimensions)) {
      matrix.set(row.vector, position);
      position += dimensions;
      await store.store(toEmbedding(row));
    }
    const vectors = queries(CALLS, dimensions);
    const scores = new Float64Array(rows);
    const comparison = await compareLatency(
      CALLS,
      async call => dotProducts(matrix, vectors[call] as Float32Array, scores),
      call => store.search(vectors[call] as Float32Array, TOP_K),
    );
    return [
      {
        what: `exact search, k = ${TOP_K}, ${rows} rows, p50`,
        floor: milliseconds(comparison.floor.p50Ms),
        ours: milliseconds(comparison.ours.p50Ms),
        ratio: comparison.ratio,
        target: 'at most 1.3',
      },
    ];
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
