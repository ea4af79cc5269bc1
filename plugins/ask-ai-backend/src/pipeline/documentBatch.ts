import type { LoggerService } from '@backstage/backend-plugin-api';
import type {
  CollectedDocument,
  DocumentContent,
  DocumentKey,
  DocumentSection,
  EmbeddingProvider,
  EmbeddingSpace,
  IVectorStore,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { documentName } from '../lib/documentName';
import { WorkQueue } from '../lib/WorkQueue';
import type { RunProgress, RunStore } from '../types';
import { CHUNKER_VERSION, chunkDocument, embeddingText } from './chunk';
import { embedTexts } from './embed';
import {
  type EmbeddedDocument,
  type PendingDocument,
  portions,
  toEmbeddings,
} from './embeddedDocuments';

/** What documents are indexed with. */
export interface DocumentBatchOptions {
  store: IVectorStore;
  runs: RunStore;
  embeddingProvider: EmbeddingProvider;
  /** Tokens. */
  chunkSize: number;
  /** Tokens. */
  chunkOverlap: number;
  /** Takes credentials out of a text. */
  redact(text: string): string;
  /** Changes when `redact` would give something else. */
  redactionFingerprint: string;
  logger: LoggerService;
  progress: RunProgress;
  /** What `embeddingProvider` gives vectors of. */
  space: EmbeddingSpace;
  /** Documents that the latest attempt could not index, by `documentName`. */
  failed: Set<string>;
  /** The run that this is a part of. */
  runId: string;
  signal: AbortSignal;
}

/**
 * Chunks that are written at once, but for a document that has more. Twice as many are written a tenth
 * faster, but live for so long that V8 keeps them among the old: a run of 20,000 entities then grew by
 * 163 MB instead of 94.
 */
const CHUNKS_PER_WRITE = 64;

/** Documents that wait for the model at most: they may have few new chunks, or none. */
const MOST_PENDING = 100;

/** A server that writes one batch for a first index has a core to spare (two cores, measured). */
const PARALLEL_WRITES = 2;

/** What a slow model gave is not kept from the store for longer, in milliseconds. */
const LONGEST_WAIT_MS = 1_000;

/**
 * Gathers the new chunks of several documents, so that the model gets full batches although most
 * documents have one or two chunks, and the store gets large ones. While the store writes, the next
 * documents are cut and embedded. Holds a few batches and one document in memory.
 */
export class DocumentBatch {
  private pending: PendingDocument[] = [];
  private freshCount = 0;
  private embedded: EmbeddedDocument[] = [];
  private embeddedCount = 0;
  private readonly writes = new WorkQueue(PARALLEL_WRITES);
  private writtenAt = performance.now();

  constructor(private readonly options: DocumentBatchOptions) {}

  /** Takes a document in, and embeds and writes a batch when it is full. */
  async add(document: CollectedDocument, stored: StoredDocument | undefined): Promise<void> {
    const { progress } = this.options;
    progress.documents.seen += 1;
    try {
      if (await this.isUnchanged(document, stored)) {
        return;
      }
      const content = await document.load({ signal: this.options.signal });
      const fingerprint = this.fingerprint(content.fingerprint);
      if (stored?.fingerprint === fingerprint) {
        await this.skip(document, stored);
        return;
      }
      await this.enqueue(document, content, fingerprint, stored !== undefined);
    } catch (error) {
      await this.fail(document, error);
    }
    const { maxTextsPerCall, maxParallelCalls } = this.options.embeddingProvider;
    if (
      this.freshCount >= maxTextsPerCall * maxParallelCalls ||
      this.pending.length >= MOST_PENDING
    ) {
      await this.embedPending();
    }
    if (
      this.embeddedCount >= CHUNKS_PER_WRITE ||
      (this.embedded.length > 0 && performance.now() - this.writtenAt >= LONGEST_WAIT_MS)
    ) {
      await this.writeEmbedded();
    }
  }

  /** Embeds and writes what waits. */
  async flush(): Promise<void> {
    await this.embedPending();
    await this.writeEmbedded();
    await this.writes.finished();
  }

  /** Resolves when nothing is being written any more, whatever became of it. */
  settled(): Promise<void> {
    return this.writes.settled();
  }

  private async embedPending(): Promise<void> {
    const pending = this.pending;
    this.pending = [];
    this.freshCount = 0;
    const { embeddingProvider, signal, space, progress } = this.options;
    const { results, tokens } = await embedTexts(
      embeddingProvider,
      pending.flatMap(({ fresh }) => fresh.map(embeddingText)),
      { purpose: 'document', expectedDimensions: space.dimensions, signal },
    );
    progress.tokens += tokens;
    let position = 0;
    for (const waiting of pending) {
      const own = results.slice(position, position + waiting.fresh.length);
      position += waiting.fresh.length;
      try {
        this.embedded.push({ ...waiting, embedded: toEmbeddings(waiting.fresh, own) });
        this.embeddedCount += waiting.fresh.length + waiting.kept.length;
      } catch (error) {
        await this.fail(waiting, error);
      }
    }
  }

  /** Begins to write when earlier ones are written, whose failure it rejects with. */
  private async writeEmbedded(): Promise<void> {
    const embedded = this.embedded;
    this.embedded = [];
    this.embeddedCount = 0;
    this.writtenAt = performance.now();
    for (const documents of portions(embedded, CHUNKS_PER_WRITE)) {
      await this.writes.add(() => this.write(documents));
    }
  }

  private async isUnchanged(
    document: CollectedDocument,
    stored: StoredDocument | undefined,
  ): Promise<boolean> {
    if (
      !stored ||
      document.fingerprint === undefined ||
      stored.fingerprint !== this.fingerprint(document.fingerprint)
    ) {
      return false;
    }
    await this.skip(document, stored);
    return true;
  }

  private async skip(document: CollectedDocument, stored: StoredDocument): Promise<void> {
    this.options.progress.chunks.skipped += stored.chunkCount;
    await this.succeed(document);
  }

  private async enqueue(
    document: CollectedDocument,
    content: DocumentContent,
    fingerprint: string,
    isStored: boolean,
  ): Promise<void> {
    const { chunkSize, chunkOverlap, store } = this.options;
    const chunks = chunkDocument(
      { ...document, sections: content.sections.map(section => this.redactSection(section)) },
      { chunkSize, chunkOverlap },
    );
    const storedIds = isStored ? await store.chunkIds(document) : new Set<string>();
    const fresh = chunks.filter(({ id }) => !storedIds.has(id));
    const kept = chunks.filter(({ id }) => storedIds.has(id));
    const { entityId, source } = document;
    this.pending.push({ entityId, source, fingerprint, fresh, kept });
    this.freshCount += fresh.length;
  }

  private redactSection(section: DocumentSection): DocumentSection {
    const { redact } = this.options;
    return { ...section, text: redact(section.text), headingPath: section.headingPath.map(redact) };
  }

  /** All in one transaction; when that fails, one by one, so that a document fails alone. */
  private async write(documents: EmbeddedDocument[]): Promise<void> {
    if (documents.length === 0) {
      return;
    }
    const { progress, runId, signal, space, store } = this.options;
    try {
      const { removed } = await store.replaceDocuments(documents, { space, runId });
      progress.chunks.removed += removed;
    } catch (error) {
      signal.throwIfAborted();
      const [first, ...others] = documents;
      if (others.length > 0 && !endsTheRun(error)) {
        for (const document of documents) {
          await this.write([document]);
        }
      } else if (first) {
        await this.fail(first, error);
      }
      return;
    }
    for (const { embedded, kept, ...document } of documents) {
      await this.succeed(document);
      progress.documents.changed += 1;
      progress.chunks.embedded += embedded.length;
      progress.chunks.skipped += kept.length;
    }
  }

  private async succeed({ entityId, source }: DocumentKey): Promise<void> {
    if (this.options.failed.delete(documentName({ entityId, source }))) {
      await this.options.runs.forgetFailure({ entityId, source });
    }
  }

  /** Records why a document failed; what would fail for every document ends the run. */
  private async fail({ entityId, source }: DocumentKey, error: unknown): Promise<void> {
    const { logger, progress, runs, signal } = this.options;
    signal.throwIfAborted();
    if (endsTheRun(error)) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn(`Could not index ${entityId} (${source}): ${reason}`);
    progress.documents.failed += 1;
    this.options.failed.add(documentName({ entityId, source }));
    await runs.recordFailure({ entityId, source, reason });
  }

  /** Everything that decides what is stored for a document, besides its content. */
  private fingerprint(contentFingerprint: string): string {
    const { chunkSize, chunkOverlap, redactionFingerprint } = this.options;
    return [
      CHUNKER_VERSION,
      chunkSize,
      chunkOverlap,
      redactionFingerprint,
      contentFingerprint,
    ].join(':');
  }
}

/** By name: stores of other packages have their own classes. */
const FATAL_ERRORS = [
  'EmbeddingSpaceMismatchError',
  'RunLostError',
  'VectorStoreSchemaError',
  'VectorStoreUnavailableError',
];

function endsTheRun(error: unknown): boolean {
  return error instanceof Error && FATAL_ERRORS.includes(error.name);
}
