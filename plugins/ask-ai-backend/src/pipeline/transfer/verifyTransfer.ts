import type { EmbeddingVector, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { NearestExactly } from './nearestExactly';
import { digestDocument, digestEmbedding, RowDigests } from './rowDigests';
import type { TransferSource } from './transferSource';

/** Searches that are compared with exact ones. */
const SAMPLE_SIZE = 20;
const TOP_K = 10;

/** Of the nearest, on average; the vector index is set to find 0.95 of them, and the sample is small. */
const LEAST_RECALL = 0.9;

/** Rows that are named. */
const MOST_NAMED = 10;

export interface VerifyReport {
  isEqual: boolean;
  embeddings: Compared;
  /** Absent when the source has no records. */
  documents?: Compared;
  /** Absent in an empty store. */
  searches?: {
    count: number;
    /** The part of the nearest 10 that the store found, 0 to 1. */
    recall: number;
    /** Searches for a stored vector that did not find it. */
    missed: number;
  };
}

/** Ids of rows, `entityId source` of documents: at most ten of each. */
export interface Compared {
  source: number;
  target: number;
  /** In the source, and not, or otherwise, in the target. */
  missing: string[];
  /** In the target, and not, or otherwise, in the source. */
  unexpected: string[];
}

/**
 * Compares a store with the source that it was filled from: counts, each row to the last bit, and what a
 * sample of searches finds with what is nearest in the source. Memory holds 16 bytes a row.
 */
export async function verifyTransfer(
  source: TransferSource,
  store: IVectorStore,
  { onProgress, signal }: { onProgress?(rows: number): void; signal?: AbortSignal } = {},
): Promise<VerifyReport> {
  let rows = 0;
  const sample: EmbeddingVector[] = [];
  const every = Math.max(1, Math.floor((await store.count()) / SAMPLE_SIZE));
  const step = () => {
    signal?.throwIfAborted();
    onProgress?.(++rows);
  };
  const targets = await digestAll(store.export(), digestEmbedding, (embedding, position) => {
    step();
    if (position % every === 0 && sample.length < SAMPLE_SIZE) {
      sample.push(embedding);
    }
  });
  const nearest = new NearestExactly(
    sample.map(({ vector }) => vector),
    TOP_K,
  );
  const sources = await digestAll(source.embeddings(), digestEmbedding, embedding => {
    step();
    nearest.add(embedding.vector);
  });
  const embeddings = await compare(
    { digests: sources, rows: () => source.embeddings() },
    { digests: targets, rows: () => store.export() },
    digestEmbedding,
    ({ id }) => id,
  );
  const documents =
    (await source.about()).documents === undefined
      ? undefined
      : await compare(
          await readAll(() => source.documents(), digestDocument),
          await readAll(() => store.documents(), digestDocument),
          digestDocument,
          document => `${document.entityId} ${document.source}`,
        );
  const searches = await compareSearches(store, sample, nearest);
  const isSame = ({ missing, unexpected }: Compared) => missing.length + unexpected.length === 0;
  return {
    isEqual:
      isSame(embeddings) &&
      (!documents || isSame(documents)) &&
      (!searches || (searches.missed === 0 && searches.recall >= LEAST_RECALL)),
    embeddings,
    documents,
    searches,
  };
}

interface Side<T> {
  digests: RowDigests;
  rows(): AsyncIterable<T>;
}

async function readAll<T>(
  rows: () => AsyncIterable<T>,
  digest: (row: T) => bigint,
): Promise<Side<T>> {
  return { digests: await digestAll(rows(), digest), rows };
}

async function digestAll<T>(
  rows: AsyncIterable<T>,
  digest: (row: T) => bigint,
  look: (row: T, position: number) => void = () => {},
): Promise<RowDigests> {
  const digests = new RowDigests();
  for await (const row of rows) {
    look(row, digests.count);
    digests.add(digest(row));
  }
  return digests;
}

async function compare<T>(
  source: Side<T>,
  target: Side<T>,
  digest: (row: T) => bigint,
  name: (row: T) => string,
): Promise<Compared> {
  const named = async (side: Side<T>, digests: Set<bigint>) => {
    const names: string[] = [];
    // Most often there is nothing to look for, and the rows are not read again.
    for await (const row of digests.size > 0 ? side.rows() : []) {
      if (digests.has(digest(row)) && names.push(name(row)) === MOST_NAMED) {
        break;
      }
    }
    return names;
  };
  return {
    source: source.digests.count,
    target: target.digests.count,
    missing: await named(source, source.digests.without(target.digests)),
    unexpected: await named(target, target.digests.without(source.digests)),
  };
}

async function compareSearches(
  store: IVectorStore,
  sample: readonly EmbeddingVector[],
  nearest: NearestExactly,
): Promise<VerifyReport['searches']> {
  if (sample.length === 0) {
    return undefined;
  }
  let recalls = 0;
  let missed = 0;
  for (const [position, { vector }] of sample.entries()) {
    const hits = await store.search(vector, TOP_K);
    const similarities = hits.map(({ similarity }) => similarity);
    recalls += nearest.recall(position, similarities);
    missed += nearest.isFirst(similarities) ? 0 : 1;
  }
  return { count: sample.length, recall: recalls / sample.length, missed };
}
