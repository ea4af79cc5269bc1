import type {
  DocumentKey,
  DocumentReplacement,
  EmbedChunks,
  EmbeddingSpace,
  EmbeddingVector,
  ReembedOptions,
  ReembedResult,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { ConflictError } from '../../errors';
import { assertSameSpace, isSameSpace } from '../../lib/embeddingSpace';
import { validateEmbeddings } from '../../lib/validation';
import { DocumentTable } from './DocumentTable';
import { ReplacingLoad } from './ReplacingLoad';
import { reembedTable } from './reembedTable';

/**
 * The table that searches see, its embedding space, and what is about to take its place. What is
 * synchronous is one atomic step.
 */
export class LiveTable {
  private table: DocumentTable;
  /** The load that is to replace the table. */
  private load: ReplacingLoad | undefined;
  private isReplacing = false;
  private currentSpace: EmbeddingSpace | undefined;

  constructor(private currentDimensions: number) {
    this.table = new DocumentTable(currentDimensions);
  }

  get current(): DocumentTable {
    return this.table;
  }

  get dimensions(): number {
    return this.currentDimensions;
  }

  /** A copy. */
  get space(): EmbeddingSpace | undefined {
    return this.currentSpace && { ...this.currentSpace };
  }

  /** @throws EmbeddingSpaceMismatchError when the table is of another space. */
  assertSpace(space: EmbeddingSpace | undefined): void {
    if (space && this.currentSpace) {
      assertSameSpace(this.currentSpace, space);
    }
  }

  /** @throws EmbeddingSpaceMismatchError; ConflictError for another space while it is being loaded. */
  useSpace(space: EmbeddingSpace): void {
    const current = this.currentSpace ?? { dimensions: this.dimensions };
    if (this.table.chunks.size > 0) {
      assertSameSpace(current, space);
    } else if (this.load && !isSameSpace(current, space)) {
      throw new ConflictError(
        'The store is being loaded with vectors of another embedding space: try again when that has ended.',
      );
    }
    if (space.dimensions !== this.dimensions) {
      this.table.changeDimensions(space.dimensions);
    }
    this.takeSpace(space);
  }

  /** @param firstIndex - how many came before them, for messages. */
  write(embeddings: EmbeddingVector[], firstIndex = 0): void {
    validateEmbeddings(embeddings, this.dimensions, firstIndex);
    this.table.chunks.putAll(embeddings);
    this.load?.touchChunks(embeddings.map(({ id }) => id));
  }

  clear(entityId?: string): void {
    if (entityId === undefined) {
      this.table = new DocumentTable(this.dimensions);
      this.load?.touchAll();
    } else {
      const removed = this.table.removeEntities(new Set([entityId]));
      this.load?.touchEntity(entityId);
      this.load?.touchChunks(removed);
    }
  }

  /** @returns how many chunks went. */
  replaceDocuments(replacements: readonly DocumentReplacement[]): number {
    const { written, removed } = this.table.replaceDocuments(replacements);
    for (const key of replacements) {
      this.load?.touchDocument(key);
    }
    this.load?.touchChunks([...written, ...removed]);
    return removed.length;
  }

  /** @returns how many chunks went. */
  removeDocument(key: DocumentKey): number {
    const removed = this.table.removeDocument(key);
    this.load?.touchDocument(key);
    this.load?.touchChunks(removed);
    return removed.length;
  }

  /**
   * Makes the table consist of what `fill` is given to put in, and of what others write meanwhile.
   *
   * @param fill - resolves with the records of the documents, in the step that ends the load.
   */
  replace<T>(
    fill: (load: ReplacingLoad) => Promise<{ result: T; records: StoredDocument[] }>,
  ): Promise<T> {
    return this.alone(async () => {
      this.load = new ReplacingLoad(this.dimensions);
      const { result, records } = await fill(this.load);
      this.table = this.load.finish(records, this.table);
      return result;
    });
  }

  /** As `IVectorStore.changeEmbeddingSpace`. */
  changeSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options: ReembedOptions,
  ): Promise<ReembedResult> {
    const swapIn = (table: DocumentTable) => {
      this.table = table;
      this.takeSpace(space);
    };
    return this.alone(() =>
      reembedTable(() => this.table, space.dimensions, embed, options, swapIn),
    );
  }

  private takeSpace({ provider, model, dimensions, chunkerVersion }: EmbeddingSpace): void {
    this.currentDimensions = dimensions;
    this.currentSpace = { provider, model, dimensions, chunkerVersion };
  }

  /** Of what replaces the whole table, one thing at a time is under way. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.isReplacing) {
      throw new ConflictError(
        'Another load is replacing what is stored: try again when it has ended.',
      );
    }
    this.isReplacing = true;
    try {
      return await work();
    } finally {
      this.isReplacing = false;
      this.load = undefined;
    }
  }
}
