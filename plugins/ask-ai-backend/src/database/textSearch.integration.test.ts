import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { PgVectorStore } from '../services/PgVectorStore';
import { embeddings, queryVectors, ServerStores } from '../testing/serverStores';
import { openEmbeddedConnection } from './embeddedConnection';

const DIMENSIONS = 384;
const REBUILD_MS = 30_000;

/** German forms that the English stemmer does not bring together. */
const TEXTS = {
  houses: 'Die Häuser stehen am Fluss.',
  identifier: 'Setze backend.auth.externalAccess auf eine Liste.',
  other: 'Etwas anderes',
};

async function storeTexts(store: PgVectorStore): Promise<void> {
  const vectors = queryVectors(DIMENSIONS);
  await store.storeBatch(
    Object.entries(TEXTS).map(([id, content]) => ({
      id,
      chunkId: id,
      vector: vectors.next(),
      documentChunk: {
        id,
        entityId: 'component:default/haus',
        entityName: 'Haus',
        content,
        metadata: {
          source: 'techdocs' as const,
          chunkIndex: 0,
          totalChunks: 1,
          title: 'worker.maxPoolSize',
        },
      },
    })),
  );
}

async function findWords(store: PgVectorStore, text: string): Promise<string[]> {
  const hits = await store.searchRanked({ mode: 'keyword', text, topK: 10 });
  return hits.map(({ documentChunk }) => documentChunk.id);
}

/** The stored words are of the language, which may take a rebuild in the background. */
function speaks(stores: ServerStores, config: string): Promise<true> {
  return pollUntil(`words of ${config}`, REBUILD_MS, async () =>
    (await expressionOf(stores)).includes(`'${config}'::regconfig`) ? true : undefined,
  );
}

async function expressionOf(stores: ServerStores): Promise<string> {
  const { expression } = await stores.queryOne<{ expression: string | null }>(`
    select pg_get_expr(adbin, adrelid) as expression from pg_attrdef
      join pg_attribute on attrelid = adrelid and attnum = adnum
    where adrelid = 'embeddings'::regclass and attname = 'content_tsv'`);
  // NULL while another table takes the place of this one.
  return expression ?? '';
}

describe('the language of words on a server', { timeout: 90_000 }, () => {
  let stores: ServerStores;

  beforeAll(async () => {
    stores = await ServerStores.create();
  });

  afterAll(() => stores.close());

  it('is English at first, with identifiers of titles taken apart', async () => {
    const { store } = await stores.open();
    await storeTexts(store);
    expect(await findWords(store, 'maxPoolSize')).toHaveLength(3);
    expect(await findWords(store, 'externalAccess')).toEqual(['identifier']);
    expect(await findWords(store, 'Flüsse')).toEqual([]);
    await store.close();
  });

  it('changes by a rebuild that keeps every row, and back', async () => {
    const before = await stores.query(
      'select id, content, vector_hash from embeddings order by id',
    );
    const { store, warnings } = await stores.open({ textSearchConfig: 'german' });
    await speaks(stores, 'german');
    expect(
      await stores.query('select id, content, vector_hash from embeddings order by id'),
    ).toEqual(before);
    await pollUntil('the new language to be searched in', REBUILD_MS, async () =>
      (await findWords(store, 'Flüsse')).includes('houses') ? true : undefined,
    );
    expect(await findWords(store, 'externalAccess')).toEqual(['identifier']);
    expect(warnings).toEqual([]);
    await store.close();
    const english = await stores.open({ textSearchConfig: 'pg_catalog.english' });
    await speaks(stores, 'english');
    await english.store.close();
  });

  it('stays as it is when the setting is left out, and keeps its index', async () => {
    const { store } = await stores.open({ textSearchConfig: 'simple' });
    await speaks(stores, 'simple');
    await store.close();
    const again = await stores.open();
    await again.store.storeBatch([...embeddings(1, { dimensions: DIMENSIONS })]);
    await again.store.refreshStatistics();
    expect(await expressionOf(stores)).toContain("'simple'::regconfig");
    const { definition } = await stores.queryOne<{ definition: string }>(
      `select indexdef as definition from pg_indexes where indexname = 'embeddings_content_tsv_idx'`,
    );
    expect(definition).toMatch(/on .*embeddings using gin \(content_tsv\)/i);
    await again.store.close();
  });

  it('serves and takes writes while it changes', async () => {
    const { store: filling } = await stores.open();
    await filling.clear();
    await filling.storeAll(embeddings(3_000, { dimensions: DIMENSIONS }));
    const { store } = await stores.open({ textSearchConfig: 'french' });
    let writes = 0;
    let isDone = false;
    const done = speaks(stores, 'french').finally(() => {
      isDone = true;
    });
    while (!isDone) {
      const [late] = embeddings(1, { dimensions: DIMENSIONS, first: 10_000 + writes });
      await filling.storeBatch(late ? [late] : []);
      writes++;
      expect(await findWords(filling, 'word17')).not.toEqual([]);
    }
    await done;
    expect(await store.count()).toBe(3_000 + writes);
  });

  it('stays when something relies on the table, and the log says why', async () => {
    await stores.query('create view chunk_texts as select content from embeddings');
    const before = await expressionOf(stores);
    const { warnings, store } = await stores.open({ textSearchConfig: 'danish' });
    await pollUntil('a warning', REBUILD_MS, async () => warnings.length > 0 || undefined);
    expect(warnings[0]).toMatch(/not searched by the words of "danish" yet.*chunk_texts/);
    expect(await expressionOf(stores)).toBe(before);
    await store.close();
    await stores.query('drop view chunk_texts');
  });

  it.each(['klingon', 'no such', "x'; drop table embeddings; --"])(
    'is refused at the start where the database does not have it: %s',
    async textSearchConfig => {
      await expect(stores.open({ textSearchConfig })).rejects.toMatchObject({
        name: 'VectorStoreSchemaError',
        message: expect.stringContaining(
          'Expected askAi.vectorStore.postgresql.textSearchConfig to be a text search configuration',
        ),
      });
    },
  );
});

describe('the language of words in the embedded store', { timeout: 60_000 }, () => {
  it('changes as on a server', async () => {
    const logger = { debug: () => {}, info: () => {}, warn: () => {} };
    const connection = await openEmbeddedConnection();
    const shared = { ...connection, close: async () => {} };
    try {
      const english = await PgVectorStore.create({ connection: shared, logger });
      await storeTexts(english);
      await english.close();
      const german = await PgVectorStore.create({
        connection: shared,
        logger,
        textSearchConfig: 'german',
      });
      await pollUntil('the new language to be searched in', REBUILD_MS, async () =>
        (await findWords(german, 'Flüsse')).includes('houses') ? true : undefined,
      );
      expect(await german.count()).toBe(3);
      await german.close();
    } finally {
      await connection.close();
    }
  });
});
