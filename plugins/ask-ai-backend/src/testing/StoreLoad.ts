import { setTimeout as delay } from 'node:timers/promises';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import { query } from '../../../../tests/services/connect';
import { embeddings, queryVectors } from './serverStores';

export const LOAD_DIMENSIONS = 24;

/** Embeddings of a batch, which is one entity. */
const BATCH = 40;

/** What the port documents, and `InputError` of Backstage aside, what a call may end with. */
const DOCUMENTED = new Set([
  'VectorStoreUnavailableError',
  'CircuitOpenError',
  'DeadlineExceededError',
]);

/** A server that refuses at once shall not be asked thousands of times a second, in milliseconds. */
const PAUSE_AFTER_ERROR_MS = 10;

/** Writers and readers that go on whatever happens, and remember what they were told. */
export class StoreLoad {
  readonly acknowledged: string[] = [];
  readonly failed: string[] = [];
  readonly errors: Record<string, number> = {};
  /** Of classes that nobody documents. */
  readonly undocumented: unknown[] = [];
  reads = 0;
  private isOver = false;
  private readonly workers: Promise<void>[];

  constructor(
    private readonly store: IVectorStore,
    { writers, readers }: { writers: number; readers: number },
  ) {
    this.workers = [
      ...Array.from({ length: writers }, (_, writer) => this.write(writer)),
      ...Array.from({ length: readers }, (_, reader) => this.read(reader)),
    ];
  }

  /** Resolves when every call under way has ended. */
  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.workers);
  }

  /** Entities of which the database holds something else than what their writers were told. */
  async findLosses(url: string): Promise<string[]> {
    const rows = await query<{ entity_id: string; chunks: string }>(
      url,
      'select entity_id, count(*) as chunks from embeddings group by entity_id',
    );
    const stored = new Map(rows.map(row => [row.entity_id, Number(row.chunks)]));
    const isWhole = (entityId: string) => stored.get(entityId) === BATCH;
    return [
      ...this.acknowledged.filter(entityId => !isWhole(entityId)),
      ...this.failed.filter(entityId => stored.has(entityId) && !isWhole(entityId)),
    ];
  }

  private async write(writer: number): Promise<void> {
    for (let batch = 0; !this.isOver; batch++) {
      const entityId = `component:default/written-${writer}-${batch}`;
      const first = (writer * 100_000 + batch) * BATCH;
      const rows = [
        ...embeddings(BATCH, { dimensions: LOAD_DIMENSIONS, first, entityOf: () => entityId }),
      ];
      const isStored = await this.told(() => this.store.storeBatch(rows));
      (isStored ? this.acknowledged : this.failed).push(entityId);
    }
  }

  private async read(reader: number): Promise<void> {
    const vectors = queryVectors(LOAD_DIMENSIONS);
    for (let call = 0; !this.isOver; call++) {
      const vector = vectors.next();
      const isAnswered = await this.told(() =>
        (call + reader) % 2 === 0
          ? this.store.search(vector, 10)
          : this.store.searchRanked({
              mode: 'hybrid',
              text: `about word${call}`,
              vector,
              topK: 10,
            }),
      );
      this.reads += isAnswered ? 1 : 0;
    }
  }

  private async told(call: () => Promise<unknown>): Promise<boolean> {
    try {
      await call();
      return true;
    } catch (error) {
      const { name } = error as Error;
      this.errors[name] = (this.errors[name] ?? 0) + 1;
      if (!DOCUMENTED.has(name)) {
        this.undocumented.push(error);
      }
      await delay(PAUSE_AFTER_ERROR_MS);
      return false;
    }
  }
}
