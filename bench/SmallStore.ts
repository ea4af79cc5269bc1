import type { PgVectorStore } from '../plugins/ask-ai-backend/src/services/PgVectorStore';
import { datasetRows } from './dataset';
import { exactNeighbours } from './exact';
import { measureRecall } from './searches';
import { hitIds, openStore, toEmbeddings } from './stores';
import { type SuiteOptions, TOP_K } from './suite';

/** Values of ef_search to try, from the least that finds ten rows. */
const EF_SEARCH_STEPS = [
  10, 11, 12, 13, 14, 15, 17, 20, 25, 30, 40, 50, 65, 80, 100, 150, 200, 400,
];

/** The small store with an ef_search, and what it finds with it. */
export interface SmallStoreAt {
  store: PgVectorStore;
  efSearch: number;
  recall: number;
}

/** A store of few rows that a large one is compared with, at equal recall. */
export class SmallStore {
  private constructor(
    readonly rows: number,
    private readonly options: SuiteOptions,
    private readonly url: string,
    private readonly queries: Float32Array[],
    private readonly exact: string[][],
  ) {}

  /** Loads the first `rows` rows of the data set into a database of their own. */
  static async load(
    options: SuiteOptions,
    { rows, queries }: { rows: number; queries: Float32Array[] },
  ): Promise<SmallStore> {
    const url = await options.newDatabase();
    const store = await openStore(url, options);
    try {
      await store.storeAll(toEmbeddings(datasetRows(rows, options.dimensions)));
    } finally {
      await store.close();
    }
    const exact = exactNeighbours(datasetRows(rows, options.dimensions), queries, TOP_K);
    return new SmallStore(rows, options, url, queries, exact);
  }

  /**
   * The store at the least ef_search that finds as much, or at the largest one that is tried. The
   * caller closes it.
   */
  async openAt(recall: number): Promise<SmallStoreAt> {
    for (const efSearch of EF_SEARCH_STEPS) {
      const store = await openStore(this.url, this.options, {
        index: { efSearch },
        migrate: false,
      });
      const reached = await measureRecall(this.queries, this.exact, async query =>
        hitIds(await store.search(query, TOP_K)),
      );
      if (reached >= recall || efSearch === EF_SEARCH_STEPS.at(-1)) {
        return { store, efSearch, recall: reached };
      }
      await store.close();
    }
    throw new Error('No ef_search was tried.');
  }
}
