import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PgBouncerServer, startPgBouncer } from '../../../../tests/services/pgBouncer';
import {
  createTestDatabase,
  type TestDatabase,
  testServerUrl,
} from '../../../../tests/services/testDatabase';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  findLeftovers,
  openStore,
  row,
  rows,
  silent,
} from '../testing/loadFixtures';
import type { PgVectorStore } from './PgVectorStore';

const CLIENTS = 8;

/** Enough for a machine with much else to do. */
const TIMEOUT_MS = 120_000;

/** Each client in a row: every shape of search, and every way to write. */
const ROUNDS = 10;

describe('PgVectorStore behind PgBouncer, which pools transactions', {
  timeout: TIMEOUT_MS,
}, () => {
  let database: TestDatabase;
  let bouncer: PgBouncerServer;
  let stores: PgVectorStore[] = [];
  const warnings: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase({ name: 'bouncer' });
    bouncer = await startPgBouncer({
      poolMode: 'transaction',
      target: testServerUrl(),
      settings: {
        ignore_startup_parameters: 'statement_timeout,options,extra_float_digits',
        // Fewer than the clients have, so that sessions change hands.
        default_pool_size: 6,
      },
    });
    const url = new URL(bouncer.url);
    url.pathname = database.name;
    const logger = { ...silent, warn: (message: string) => warnings.push(message) };
    // On an empty database: they all want to migrate.
    stores = await Promise.all(
      Array.from({ length: CLIENTS }, () =>
        openStore(url.href, { dimensions: DIMENSIONS, logger }),
      ),
    );
  }, TIMEOUT_MS);

  afterAll(async () => {
    await Promise.all(stores.map(store => store.close()));
    await bouncer.close();
    await database.drop();
  });

  const first = () => stores[0] as PgVectorStore;

  it('loads a stream, replaces everything, and clears', async () => {
    const loaded = rows(2_500, 'loaded');
    await first().storeAll(loaded);
    expect(await contentsOf(first())).toEqual(contentsIn(loaded));
    await first().storeAll(rows(2_500, 'added'));
    expect(await first().count()).toBe(5_000);
    const replaced = rows(3_000, 'replaced');
    await first().replaceAll(replaced);
    expect(await contentsOf(first())).toEqual(contentsIn(replaced));
    await first().clear();
    expect(await first().count()).toBe(0);
    expect(await findLeftovers(database.url)).toEqual([]);
  });

  it('claims an embedding space by many clients at once', async () => {
    const space = { provider: 'p', model: 'm', dimensions: DIMENSIONS, chunkerVersion: 1 };
    await Promise.all(
      stores.map((store, index) => store.useEmbeddingSpace({ ...space, chunkerVersion: index })),
    );
    expect(await first().embeddingSpace()).toMatchObject({ model: 'm', dimensions: DIMENSIONS });
  });

  it(`answers ${CLIENTS} clients at once that search in every way and write, also while everything is replaced`, async () => {
    const others = rows(1_000, 'other');
    await first().replaceAll(others);
    const work = async (store: PgVectorStore, client: number) => {
      const mine = `component:default/client-${client}`;
      const key = { entityId: mine, source: 'techdocs' as const };
      for (let round = 0; round < ROUNDS; round++) {
        const batch = rows(3, `client-${client}`, `round ${round}`).map(({ id }) =>
          row(`${id}-${round}`, `round ${round}`, mine),
        );
        await store.storeBatch(batch);
        const [one] = batch;
        await store.replaceDocuments([{ ...key, fingerprint: '1', embedded: batch, kept: [] }]);
        expect(await store.count(mine)).toBe(batch.length);
        const vector = row('x-0').vector;
        for (const filter of [
          undefined,
          mine,
          { kinds: ['component'], minSimilarity: -1 },
          { entityIds: ['component:default/e1', 'component:default/e2'] },
          { namespaces: ['default'], sources: ['techdocs' as const] },
        ]) {
          expect((await store.search(vector, 3, filter)).length).toBe(3);
        }
        for (const mode of ['hybrid', 'vector', 'keyword'] as const) {
          const hits = await store.searchRanked({ mode, text: `round ${round}`, vector, topK: 2 });
          expect(hits.length).toBeGreaterThan(0);
        }
        expect((await store.document(key))?.chunkCount).toBe(one ? batch.length : 0);
      }
      await store.clear(mine);
    };
    await Promise.all([
      ...stores.map(work),
      (async () => {
        for (let load = 0; load < 3; load++) {
          await first().replaceAll(others);
        }
      })(),
    ]);
    expect(await contentsOf(first())).toEqual(contentsIn(others));
    expect(warnings).toEqual([]);
  });
});
