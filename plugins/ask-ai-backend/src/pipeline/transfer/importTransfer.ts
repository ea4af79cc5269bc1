import type {
  EmbeddingSpace,
  EmbeddingVector,
  IVectorStore,
  LoadOptions,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { EmbeddingSpaceMismatchError, TransferError } from '../../errors';
import { validateEmbeddings, validateRecord } from '../../lib/validation';
import type { TransferCounts } from './transferLines';
import type { SourceFacts, TransferSource } from './transferSource';

/** Documents whose records are written at once where the store can't be loaded. */
const DOCUMENTS_PER_BATCH = 100;

export interface ImportOptions extends LoadOptions {
  /** Puts the source in the place of what is stored; otherwise the store must be empty. */
  replace?: boolean;
  /** Of a source that does not say what embedded its vectors. */
  embeddingSpace?: Pick<EmbeddingSpace, 'provider' | 'model'>;
  /** What is not in the source: the version of the chunker that is running. */
  chunkerVersion: number;
  /** Gets to know what takes longer than it must. */
  warn(message: string): void;
}

export interface ImportReport {
  counts: TransferCounts;
  embeddingSpace: EmbeddingSpace;
  /** What was there before. */
  replaced: number;
}

/**
 * Checks that a source can be imported, by reading all of it, and writes nothing.
 *
 * @throws as {@link importTransfer}.
 */
export async function checkImport(
  source: TransferSource,
  store: IVectorStore | undefined,
  options: ImportOptions,
): Promise<ImportReport> {
  const { space, replaced } = await prepare(source, store, options);
  const counts = { embeddings: 0, documents: 0 };
  for await (const document of source.documents()) {
    validateRecord(document);
    counts.documents++;
  }
  for await (const embedding of source.embeddings()) {
    options.signal?.throwIfAborted();
    validateEmbeddings([embedding], space.dimensions, counts.embeddings++);
  }
  return { counts, embeddingSpace: space, replaced };
}

/**
 * Makes a store consist of what a source gives, with the records of the documents, so that the next
 * index run embeds nothing again. One atomic unit: a store that was not empty keeps what it has until all
 * of the new is there. Where the store can't be loaded at once, an empty one is filled row by row.
 *
 * @throws TransferError when the store is not empty, or the source is damaged or does not say what
 * embedded it; EmbeddingSpaceMismatchError; what the store throws; the signal's reason.
 */
export async function importTransfer(
  source: TransferSource,
  store: IVectorStore,
  options: ImportOptions,
): Promise<ImportReport> {
  const { space, replaced } = await prepare(source, store, options);
  const documents = await DocumentList.of(source);
  await store.useEmbeddingSpace(space);
  let isRead = false;
  const stream = async function* (): AsyncGenerator<EmbeddingVector> {
    isRead = true;
    for await (const embedding of source.embeddings()) {
      documents.note(embedding);
      yield embedding;
    }
  };
  const { onProgress, signal } = options;
  const report = (embeddings: number) => ({
    counts: { embeddings, documents: documents.all().length },
    embeddingSpace: space,
    replaced,
  });
  try {
    const { received } = await store.replaceAll(stream(), {
      documents: () => documents.all(),
      onProgress,
      signal,
    });
    return report(received);
  } catch (error) {
    if (isRead || replaced > 0 || (error as Error).name !== 'VectorStoreSchemaError') {
      throw error;
    }
    options.warn(`Rows are written one by one, which takes longer. ${(error as Error).message}`);
  }
  const { received } = await store.storeAll(stream(), { onProgress, signal });
  await recordDocuments(store, documents.all(), signal);
  return report(received);
}

/**
 * The records of the documents. Where a source has none, they are made of its chunks, with a fingerprint
 * that no document has: the next run then looks at each of them and keeps the vectors of what did not
 * change, instead of taking it for new.
 */
class DocumentList {
  private readonly found = new Map<string, StoredDocument>();

  private constructor(private readonly records: StoredDocument[]) {}

  static async of(source: TransferSource): Promise<DocumentList> {
    const records: StoredDocument[] = [];
    for await (const { entityId, source: from, fingerprint, chunkCount } of source.documents()) {
      records.push({ entityId, source: from, fingerprint, chunkCount });
    }
    return new DocumentList(records);
  }

  note({ documentChunk: { entityId, metadata } }: EmbeddingVector): void {
    if (this.records.length > 0) {
      return;
    }
    const key = `${metadata.source} ${entityId}`;
    const known = this.found.get(key);
    if (known) {
      known.chunkCount++;
    } else {
      const { source } = metadata;
      this.found.set(key, { entityId, source, fingerprint: 'imported', chunkCount: 1 });
    }
  }

  all(): StoredDocument[] {
    return this.records.length > 0 ? this.records : [...this.found.values()];
  }
}

/** What has to be known before anything is written. */
async function prepare(
  source: TransferSource,
  store: IVectorStore | undefined,
  options: ImportOptions,
): Promise<{ space: EmbeddingSpace; replaced: number }> {
  const facts = await source.about();
  const space = spaceOf(source.description, facts, options);
  const replaced = (await store?.stats())?.vectorCount ?? 0;
  if (store && replaced > 0) {
    await assertSameSpace(store, space, source.description);
    if (!options.replace) {
      throw new TransferError(
        `The store holds ${replaced.toLocaleString('en')} embeddings already: put the new ones in their place with --replace.`,
      );
    }
  }
  return { space, replaced };
}

function spaceOf(
  description: string,
  { embeddingSpace, dimensions }: SourceFacts,
  options: ImportOptions,
): EmbeddingSpace {
  const given = options.embeddingSpace;
  if (embeddingSpace) {
    const isSame =
      !given ||
      (given.provider === embeddingSpace.provider && given.model === embeddingSpace.model);
    if (!isSame) {
      throw mismatch(description, embeddingSpace, `${given.provider}/${given.model} was given`);
    }
    return embeddingSpace;
  }
  if (!given || !dimensions) {
    throw new TransferError(
      dimensions
        ? `${description} does not say what embedded its vectors: say it with --space, for example --space ollama/all-minilm, as the backend that made them is configured.`
        : `${description} holds nothing to import.`,
    );
  }
  return { ...given, dimensions, chunkerVersion: options.chunkerVersion };
}

async function assertSameSpace(
  store: IVectorStore,
  space: EmbeddingSpace,
  description: string,
): Promise<void> {
  const stored = await store.embeddingSpace();
  const isSame = stored
    ? stored.provider === space.provider &&
      stored.model === space.model &&
      stored.dimensions === space.dimensions
    : store.dimensions === space.dimensions;
  if (!isSame) {
    const what = stored ? nameOf(stored) : `an unknown model (${store.dimensions} dimensions)`;
    throw mismatch(description, space, `the store holds vectors of ${what}`);
  }
}

function mismatch(description: string, space: EmbeddingSpace, other: string): Error {
  return new EmbeddingSpaceMismatchError(
    other,
    nameOf(space),
    `${description} holds vectors of ${nameOf(space)}, but ${other}. They can't be compared: import into an empty store, or remove what is stored first (DELETE /api/ask-ai/index).`,
  );
}

function nameOf({ provider, model, dimensions }: EmbeddingSpace): string {
  return `${provider}/${model} (${dimensions} dimensions)`;
}

/** The chunks are there; each document is replaced by what it has. */
async function recordDocuments(
  store: IVectorStore,
  documents: readonly StoredDocument[],
  signal?: AbortSignal,
): Promise<void> {
  for (let start = 0; start < documents.length; start += DOCUMENTS_PER_BATCH) {
    signal?.throwIfAborted();
    const replacements = [];
    for (const document of documents.slice(start, start + DOCUMENTS_PER_BATCH)) {
      const kept = await store.chunks(document, { from: 0, to: 2 ** 31 - 1 });
      replacements.push({ ...document, embedded: [], kept });
    }
    await store.replaceDocuments(replacements);
  }
}
