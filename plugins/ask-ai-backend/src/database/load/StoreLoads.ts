import type {
  EmbeddingStream,
  LoadOptions,
  LoadResult,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import type { DatabaseConnection } from '../connection';
import { driverError } from '../databaseErrors';
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
      const result = await loadTable(this.connection, stream, load);
      await this.refresh(true);
      return result;
    });
  }

  /** Resolves when none is under way; the signal of the upkeep tells them to end. */
  async ended(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async run(work: () => Promise<LoadResult>): Promise<LoadResult> {
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
    const signals = signal ? [signal, this.upkeep.signal] : [this.upkeep.signal];
    // Another process may have rebuilt the index, which a load must not undo.
    await this.index.refresh(0);
    const { dimensions, definition } = this.index;
    return { dimensions, definition, onProgress, signal: AbortSignal.any(signals) };
  }
}
