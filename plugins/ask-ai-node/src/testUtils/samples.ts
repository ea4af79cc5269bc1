import assert from 'node:assert/strict';
import type { DocumentSource, SearchResult } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from '../vectorStore';
import { DIMENSIONS } from './suite';

/** The entity of every sample that names no other. */
export const PETSTORE = 'component:default/petstore';

/** What a sample may differ in. */
export interface SampleOptions {
  /** Default: as the id. */
  chunkId?: string;
  vector?: ArrayLike<number>;
  entityId?: string;
  entityName?: string;
  content?: string;
  source?: DocumentSource;
  chunkIndex?: number;
  totalChunks?: number;
  title?: string;
  location?: string;
}

/** An embedding that every store takes; its vector points along the first axis. */
export function sample(id: string, options: SampleOptions = {}): EmbeddingVector {
  const { chunkId = id, vector = at(0), entityId = PETSTORE, entityName = 'Petstore' } = options;
  const { content = `Content of ${id}`, source = 'techdocs' } = options;
  const { chunkIndex = 0, totalChunks = 1, title, location } = options;
  const metadata = {
    source,
    chunkIndex,
    totalChunks,
    ...(title !== undefined && { title }),
    ...(location !== undefined && { location }),
  };
  const documentChunk = { id: chunkId, entityId, entityName, content, metadata };
  return { id, chunkId, vector, documentChunk };
}

/** As many samples as asked for, ids in the order of their numbers: `prefix-0000`, `prefix-0001`. */
export function samples(
  count: number,
  options: (index: number) => SampleOptions = () => ({}),
  prefix = 'chunk',
): EmbeddingVector[] {
  return Array.from({ length: count }, (_, index) =>
    sample(`${prefix}-${String(index).padStart(4, '0')}`, options(index)),
  );
}

/** The vector at an angle to `at(0)`: their similarity is the cosine of it. */
export function at(degrees: number, dimensions = DIMENSIONS): number[] {
  const radians = (degrees * Math.PI) / 180;
  const vector = new Array<number>(dimensions).fill(0);
  vector[0] = Math.cos(radians);
  vector[1] = Math.sin(radians);
  return vector;
}

/** Cosine similarity in double precision. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return product / Math.sqrt(squaresA * squaresB);
}

/** Ids of the chunks, in the order of the hits. */
export function idsOf(hits: readonly SearchResult[]): string[] {
  return hits.map(({ documentChunk }) => documentChunk.id);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
  }
  return all;
}

/** What a store must give back: of equal ids the last, with the numbers that float32 leaves. */
export function byId(embeddings: Iterable<EmbeddingVector>): Map<string, object> {
  return new Map(
    [...embeddings].map(({ vector, ...rest }) => [
      rest.id,
      { ...rest, vector: Array.from(Float32Array.from(vector)) },
    ]),
  );
}

/** float32 arithmetic in another order differs by less. */
export const SIMILARITY_TOLERANCE = 1e-4;

export function assertSimilarity(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= SIMILARITY_TOLERANCE,
    `expected a similarity of ${expected}, got ${actual}`,
  );
}

/**
 * Errors are known by `name`: a store of another package has classes of its own, and jest runs tests in a
 * realm in which Node's own errors, such as an AbortError, are no `instanceof Error`.
 *
 * @returns the error.
 */
export async function assertRejects(
  call: () => Promise<unknown>,
  name: string,
  { statusCode, what }: { statusCode?: number; what?: string } = {},
): Promise<Error> {
  let error: Error | undefined;
  try {
    await call();
  } catch (thrown) {
    error = thrown as Error;
  }
  const label = what === undefined ? '' : ` for ${what}`;
  assert.ok(error, `expected ${name}${label}, but the call succeeded`);
  assert.equal(error.name, name, `expected ${name}${label}, got ${error.name}: ${error.message}`);
  if (statusCode !== undefined) {
    assert.equal((error as { statusCode?: number }).statusCode, statusCode, `statusCode${label}`);
  }
  return error;
}
