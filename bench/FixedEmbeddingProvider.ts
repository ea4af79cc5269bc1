import type { EmbeddingProvider, EmbedResult } from 'backstage-plugin-ask-ai-node';
import { clusteredVectors } from './vectors';

/** Of the vectors that others are made of: more of them than there are clusters. */
const POOL_SIZE = 4_096;

/** Neither that of the stored rows of other suites nor that of their queries. */
const SEED = 4;

/**
 * Gives vectors at once, so that what is measured is everything but the model. No two of the first
 * eight million are equal: of equal vectors an HNSW index keeps one point. Takes as many texts at a
 * time as the provider `openai` does by default.
 */
export class FixedEmbeddingProvider implements EmbeddingProvider {
  readonly provider = 'fixed';
  readonly model = 'fixed-vectors';
  readonly maxTextsPerCall = 32;
  readonly maxParallelCalls = 4;
  /** How many vectors it gave. */
  given = 0;
  private readonly pool: Float32Array[];

  constructor(private readonly size: number) {
    const vectors = clusteredVectors(size, SEED);
    this.pool = Array.from({ length: POOL_SIZE }, () => vectors.next());
  }

  async dimensions(): Promise<number> {
    return this.size;
  }

  async embed(texts: readonly string[]): Promise<EmbedResult> {
    return { vectors: texts.map(() => this.nextVector()) };
  }

  async check(): Promise<void> {}

  /** Between one vector of the pool and another one, which is one place further in each round. */
  private nextVector(): Float32Array {
    const round = Math.floor(this.given / POOL_SIZE);
    const a = this.pool[this.given % POOL_SIZE] as Float32Array;
    const b = this.pool[(this.given + round + 1) % POOL_SIZE] as Float32Array;
    this.given += 1;
    const vector = new Float32Array(this.size);
    for (let i = 0; i < vector.length; i++) {
      vector[i] = ((a[i] as number) + (b[i] as number)) / 2;
    }
    return vector;
  }
}
