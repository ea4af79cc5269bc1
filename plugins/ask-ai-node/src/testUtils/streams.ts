import type { EmbeddingVector, IVectorStore, StoredDocument } from '../vectorStore';
import { byId, collect, PETSTORE, samples } from './samples';

/** Rows of a stream. A store may take another path for short streams than for long ones. */
export const SIZES = [6, 3_000] as const;
export const [SHORT, LONG] = SIZES;

/** What a store holds. */
export interface Content {
  chunks: Map<string, object>;
  records: StoredDocument[];
}

/** By id, with the records in their order. */
export async function contentOf(store: IVectorStore): Promise<Content> {
  return {
    chunks: byId(await collect(store.export())),
    records: await collect(store.documents()),
  };
}

/** Stores a document of 40 chunks, `old-0000` to `old-0039`, with its record. */
export async function fill(store: IVectorStore): Promise<Content> {
  await store.replaceDocuments([
    {
      entityId: PETSTORE,
      source: 'techdocs',
      fingerprint: 'old',
      embedded: samples(40, index => ({ chunkIndex: index, content: 'old' }), 'old'),
      kept: [],
    },
  ]);
  return contentOf(store);
}

/** Something to do between the items of a stream. */
export type Calls = Record<number, () => unknown>;

/**
 * The items, and before that of a number the call of this number; the one of `items.length` comes
 * after the last item. The stream goes on when the call is done.
 *
 * @param onReturn - called once, when the stream has ended or was let go of.
 */
export async function* streamOf(
  items: readonly EmbeddingVector[],
  calls: Calls = {},
  onReturn = () => {},
): AsyncGenerator<EmbeddingVector> {
  try {
    for (let index = 0; index <= items.length; index++) {
      await calls[index]?.();
      const item = items[index];
      if (item) {
        yield item;
      }
    }
  } finally {
    onReturn();
  }
}

/** As `streamOf`, but waits for nothing. */
export function* syncStreamOf(
  items: readonly EmbeddingVector[],
  calls: Calls = {},
  onReturn = () => {},
): Generator<EmbeddingVector> {
  try {
    for (let index = 0; index <= items.length; index++) {
      calls[index]?.();
      const item = items[index];
      if (item) {
        yield item;
      }
    }
  } finally {
    onReturn();
  }
}
