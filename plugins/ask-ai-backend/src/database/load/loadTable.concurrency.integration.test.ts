import type { EmbeddingVector, IVectorStore } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../../tests/services/testDatabase';
import type { PgVectorStore } from '../../services/PgVectorStore';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  findLeftovers,
  openStore,
  row,
  rows,
} from '../../testing/loadFixtures';

const LOADED = 5_000;
const RACES = 20;
const EXCHANGES = 15;

const VICTIM = 'component:default/victim';
const KEY = { entityId: 'component:default/e3', source: 'techdocs' as const };

describe('a load while other replicas are at work', { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let stores: PgVectorStore[];

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'replicas' });
    stores = [await openStore(database.url, { dimensions: DIMENSIONS })];
    stores.push(await openStore(database.url), await openStore(database.url));
  });

  afterEach(async () => {
    await Promise.all(stores.map(store => store.close()));
    await database.drop();
  });

  const replica = (index: number) => stores[index] as PgVectorStore;

  it('keeps all that is stored, replaced, removed and cleared meanwhile, by our calls and by plain SQL, and shows readers the old rows or the new', async () => {
    const [loader, writer, reader] = [replica(0), replica(1), replica(2)];
    await loader.storeBatch(rows(500, 'old'));
    const loaded = rows(LOADED, 'new');
    const turn = new Turn(loaded);
    const journal = new Journal(writer, database.url);
    const reading = new Reading(reader);

    const loading = loader.replaceAll(turn.stream());
    await Promise.all([
      settled(loading, async () => {
        await turn.begun;
        await journal.writeSomething();
      }),
      settled(loading, () => reading.look()),
    ]);
    // What is written after the load is no business of it.
    expect(await loading).toEqual({ received: LOADED });

    const contents = await contentsOf(loader);
    expect(contents).toEqual(journal.appliedTo(contentsIn(loaded)));
    expect(journal.rounds).toBeGreaterThan(3);
    expect(reading.states).toEqual(new Set(['old', 'new']));
    expect(await findLeftovers(database.url)).toEqual([]);
  });

  it(`loses nothing when a stream into an empty store races with rows that another replica writes (${RACES} races)`, async () => {
    const [loader, writer] = [replica(0), replica(1)];
    const loaded = rows(1_100, 'new');
    const outcomes = { loads: 0, streams: 0 };
    for (let race = 0; race < RACES; race++) {
      await query(database.url, 'delete from embeddings');
      let isLoad = false;
      let tell = () => {};
      const copied = new Promise<void>(resolve => {
        tell = resolve;
      });
      const turn = new Turn(loaded);
      const loading = loader.storeAll(turn.stream(), {
        onProgress: ({ phase }) => {
          isLoad ||= phase === 'indexing';
          tell();
        },
      });
      const written: EmbeddingVector[] = [];
      if (race % 2 === 0) {
        // A little later each time: before it is known that the store is empty, and just after.
        await (race === 0 ? turn.begun : turn.ended);
        for (let reads = 0; reads < 2 * race; reads++) {
          await writer.count();
        }
      } else {
        await copied;
      }
      await settled(loading, async () => {
        const other = row(`other-${race}-${written.length}`);
        await writer.store(other);
        written.push(other);
      });
      expect(await loading).toEqual({ received: loaded.length });
      expect(await contentsOf(loader), `race ${race}`).toEqual(contentsIn(loaded, written));
      expect(written.length).toBeGreaterThan(0);
      outcomes[isLoad ? 'loads' : 'streams']++;
    }
    expect(outcomes.loads, JSON.stringify(outcomes)).toBeGreaterThan(0);
    expect(outcomes.streams, JSON.stringify(outcomes)).toBeGreaterThan(0);
  });

  it(`tells the dimensions and the state of the index while one table follows another (${EXCHANGES} loads)`, async () => {
    const [loader, ...readers] = stores as [PgVectorStore, ...PgVectorStore[]];
    const loading = (async () => {
      for (let load = 0; load < EXCHANGES; load++) {
        await loader.replaceAll(rows(5, `load-${load}`));
      }
    })();
    const read = async (store: PgVectorStore) => {
      expect(await store.vectorIndex()).toMatchObject({ m: 16, efConstruction: 64 });
      expect(store.dimensions).toBe(DIMENSIONS);
      await store.store(row('written'));
    };
    await Promise.all(readers.map(store => settled(loading, () => read(store))));
  });

  it('keeps the rows of all streams that begin on an empty store at once', async () => {
    const streams = ['a', 'b', 'c'].map(prefix => rows(1_500, prefix));
    await Promise.all(streams.map((stream, index) => replica(index).storeAll(stream)));
    expect(await contentsOf(replica(0))).toEqual(contentsIn(...streams));
    expect(await findLeftovers(database.url)).toEqual([]);
  });
});

/** Works again and again until the other is done. */
async function settled(other: Promise<unknown>, work: () => Promise<void>): Promise<void> {
  let isDone = false;
  const done = other.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await work();
  }
  await done;
}

/** A stream that tells when it is first read, and when it has ended. */
class Turn {
  private begin = () => {};
  private end = () => {};
  readonly begun = new Promise<void>(resolve => {
    this.begin = resolve;
  });
  readonly ended = new Promise<void>(resolve => {
    this.end = resolve;
  });

  constructor(private readonly embeddings: EmbeddingVector[]) {}

  async *stream(): AsyncGenerator<EmbeddingVector> {
    this.begin();
    yield* this.embeddings;
    this.end();
  }
}

/** Writes in every way, one after another, and knows what must be in the store after it. */
class Journal {
  rounds = 0;
  /** What was last done to an id: its content, or `undefined` when it was removed. */
  private readonly changes = new Map<string, string | undefined>();
  private isCleared = false;

  constructor(
    private readonly store: IVectorStore,
    private readonly url: string,
  ) {}

  async writeSomething(): Promise<void> {
    const round = this.rounds++;
    // Of the stream, and beside it.
    const stored = [row(`new-0${1_000 + round}`, 'stored'), row(`stored-${round}`)];
    await this.store.storeBatch(stored);
    this.note(stored);
    const chunk = row(`replaced-${round}`, 'replaced', KEY.entityId);
    await this.store.replaceDocuments([
      {
        ...KEY,
        fingerprint: `${round}`,
        embedded: [chunk],
        kept: [],
      },
    ]);
    this.forgetReplaced();
    this.note([chunk]);
    const victims = [
      row(`victim-${round}-a`, 'victim', VICTIM),
      row(`victim-${round}-b`, 'victim', VICTIM),
    ];
    await this.store.storeBatch(victims);
    await (round % 2 === 0
      ? this.store.clear(VICTIM)
      : this.store.removeDocument({ entityId: VICTIM, source: 'techdocs' }));
    await this.writeSql(round);
  }

  /** As an older version of the plugin does. */
  private async writeSql(round: number): Promise<void> {
    const [inserted, updated, removed] = [
      `sql-${round}`,
      `new-0${2_000 + round}`,
      `new-0${3_000 + round}`,
    ];
    const columns = `chunk_id, entity_id, entity_name, vector, content, source, chunk_index, total_chunks, content_hash, vector_hash`;
    const values = (id: string, content: string) =>
      `('${id}', '${id}', 'component:default/e0', 'E', '[1,0,0,0,0,0,0,0]', '${content}', 'techdocs', 0, 1, 'x', 'x')`;
    await query(
      this.url,
      `insert into embeddings (id, ${columns}) values ${values(inserted, 'sql')}, ${values(updated, 'inserted')}, ${values(removed, 'removed')}
         on conflict (id) do nothing`,
      `update embeddings set content = 'updated' where id = '${updated}'`,
      `delete from embeddings where id = '${removed}'`,
    );
    this.changes.set(inserted, 'sql').set(updated, 'updated').set(removed, undefined);
  }

  /** @param loaded - the contents of the stream. */
  appliedTo(loaded: Map<string, string>): Map<string, string> {
    const contents = new Map(loaded);
    if (this.isCleared) {
      // The document was replaced as a whole, and is what it was replaced by.
      for (const id of contents.keys()) {
        if (id.startsWith('new-') && Number(id.slice(4)) % 10 === 3) {
          contents.delete(id);
        }
      }
    }
    for (const [id, content] of this.changes) {
      if (content === undefined) {
        contents.delete(id);
      } else {
        contents.set(id, content);
      }
    }
    return contents;
  }

  private note(embeddings: EmbeddingVector[]): void {
    for (const { id, documentChunk } of embeddings) {
      this.changes.set(id, documentChunk.content);
    }
  }

  private forgetReplaced(): void {
    this.isCleared = true;
    for (const id of this.changes.keys()) {
      if (id.startsWith('replaced-')) {
        this.changes.set(id, undefined);
      }
    }
  }
}

/** Reads as a search does, and accepts the old rows or the new ones. */
class Reading {
  readonly states = new Set<string>();

  constructor(private readonly store: IVectorStore) {}

  async look(): Promise<void> {
    const count = await this.store.count();
    expect(count > 0.8 * LOADED || (count > 400 && count < 0.5 * LOADED), `${count} rows`).toBe(
      true,
    );
    const hits = await this.store.search(row('x-0').vector, 100, {
      entityIds: Array.from({ length: 3 }, (_, index) => `component:default/e${7 + index}`),
    });
    // Nobody writes to these entities.
    const contents = new Set(hits.map(({ documentChunk }) => documentChunk.content));
    expect(hits).toHaveLength(100);
    expect(contents.size, [...contents].join(', ')).toBe(1);
    this.states.add([...contents][0] ?? 'nothing');
  }
}
