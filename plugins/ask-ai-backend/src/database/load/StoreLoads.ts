import type {
  EmbedChunks,
  EmbeddingSpace,
  EmbeddingStream,
  LoadOptions,
  LoadResult,
  ReembedOptions,
  ReembedResult,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import type { DatabaseConnection } from '../connection';
import { driverError } from '../databaseErrors';
import { reembed } from '../reembed/reembed';
import type { StoreUpkeep } from '../StoreUpkeep';
import type { VectorIndex } from '../vectorIndex/VectorIndex';
import { loadTable, type TableLoad } from './loadTable';
import { storeStream } from './storeStream';

/**
 * The loads of a store, from `storeAll` and `replaceAll`: with its present index, cleaned up when they
 * fail, and ended when it closes.
 */
export class StoreLoads {
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly connection: DatabaseConnection,
    private readonly index: VectorIndex,
    private readonly upkeep: StoreUpkeep,
  ) {}

  storeAll(stream: EmbeddingStream, options: LoadOptions): Promise<LoadResult> {
    return this.run(async () => {
      const load = { ...(await this.tableLoad(options)), warn: this.upkeep.warnOnce };
      const { isLoad, ...result } = await storeStream(this.connection, stream, load);
      await this.refresh(isLoad);
      return result;
    });
  }

  replaceAll(
    stream: EmbeddingStream,
    { documents = () => [], ...options }: LoadOptions & { documents?(): Iterable<StoredDocument> },
  ): Promise<LoadResult> {
    return this.run(async () => {
      const load = { ...(await this.tableLoad(options)), documents };
      const result = await loadTable(this.connection.admin, stream, load);
      await this.refresh(true);
      return result;
    });
  }

  /** As `IVectorStore.changeEmbeddingSpace`. */
  changeSpace(
    space: EmbeddingSpace,
    embed: EmbedChunks,
    options: ReembedOptions,
  ): Promise<ReembedResult> {
    return this.run(async () => {
      await this.index.refresh(0);
      const target = { space, definition: this.index.definitionFor(space.dimensions) };
      const signal = this.endWith(options.signal);
      const result = await reembed(this.connection.admin, target, embed, { ...options, signal });
      await this.refresh(true);
      return result;
    });
  }

  /** Resolves when none is under way; the signal of the upkeep tells them to end. */
  async ended(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async run<T>(work: () => Promise<T>): Promise<T> {
    await this.upkeep.ready();
    const loading = work();
    const ended = loading.then(
      () => {},
      () => this.upkeep.cleanUp(),
    );
    this.underWay.add(ended);
    try {
      return await loading;
    } finally {
      await ended;
      this.underWay.delete(ended);
    }
  }

  /** The rows are there: whoever was told that the load failed would believe that they are not. */
  private async refresh(isLoad: boolean): Promise<void> {
    try {
      await this.upkeep.refresh({ isLoad });
    } catch (error) {
      this.upkeep.warnOnce(
        `Rows were stored, but not the statistics that ranks rely on: ${driverError(error).message}.`,
      );
    }
  }

  private async tableLoad({ signal, onProgress }: LoadOptions): Promise<TableLoad> {
    // Another process may have rebuilt the index, which a load must not undo.
    await this.index.refresh(0);
    const { dimensions, definition } = this.index;
    const { textSearchConfig } = this.upkeep;
    return {
      dimensions,
      definition,
      textSearchConfig,
      onProgress,
      signal: this.endWith(signal),
    };
  }

  private endWith(signal: AbortSignal | undefined): AbortSignal {
    return AbortSignal.any([this.upkeep.signal, ...(signal ? [signal] : [])]);
  }
}
