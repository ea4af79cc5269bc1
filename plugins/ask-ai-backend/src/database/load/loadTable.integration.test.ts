import type { LoadProgress } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../../../tests/services/connect';
import { createTestDatabase, type TestDatabase } from '../../../../../tests/services/testDatabase';
import type { PgVectorStore } from '../../services/PgVectorStore';
import { describeTable } from '../../testing/describeTable';
import {
  contentsIn,
  contentsOf,
  DIMENSIONS,
  findLeftovers,
  openStore,
  row,
  rows,
  silent,
} from '../../testing/loadFixtures';
import { openPostgresConnection } from '../postgresConnection';
import { beginCapture } from './captureChanges';

const OLD = rows(100, 'old');
const NEW = rows(1_500, 'new');

/** What others may have made on the table, and how it is named to them. */
const DEPENDENTS: Record<string, { make: string[]; named: string }> = {
  'a view': {
    make: ['create view titles as select title from embeddings'],
    named: 'view titles',
  },
  'a materialized view of another schema': {
    make: [
      'create schema reports',
      'create materialized view reports."The words" as select content from embeddings',
    ],
    named: 'materialized view reports."The words"',
  },
  'a foreign key': {
    make: ['create table votes (id text references embeddings, vote int)'],
    named: 'constraint votes_id_fkey on table votes',
  },
  'a function of its rows': {
    make: [`create function words(embeddings) returns int language sql as 'select 1'`],
    named: 'function words(embeddings)',
  },
  'a unique constraint': {
    make: ['alter table embeddings add constraint one_chunk unique (chunk_id)'],
    named: 'constraint one_chunk on table embeddings',
  },
  'a trigger': {
    make: [
      `create function audit() returns trigger language plpgsql as 'begin return null; end'`,
      'create trigger audit after insert on embeddings execute function audit()',
    ],
    named: 'trigger audit on table embeddings',
  },
  'a rule': {
    make: ['create rule quiet as on delete to embeddings do also select 1'],
    named: 'rule quiet on table embeddings',
  },
  'a row security policy': {
    make: ['create policy everybody on embeddings using (true)'],
    named: 'policy everybody on table embeddings',
  },
  'a publication': {
    make: ['create publication changes for table embeddings'],
    named: 'publication of table embeddings in publication changes',
  },
};

describe('a load of the table', () => {
  let database: TestDatabase;
  let store: PgVectorStore;
  let warnings: string[];

  beforeEach(async () => {
    database = await createTestDatabase({ name: 'load' });
    warnings = [];
    const logger = { ...silent, warn: (message: string) => warnings.push(message) };
    store = await openStore(database.url, { dimensions: DIMENSIONS, logger });
  });

  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  async function assertAsBefore(before: Record<string, unknown>): Promise<void> {
    expect(await contentsOf(store)).toEqual(contentsIn(OLD));
    expect(await describeTable(database.url, 'embeddings')).toEqual(before);
    const leftovers = await findLeftovers(database.url);
    expect(leftovers.filter(name => name !== 'trigger audit')).toEqual([]);
  }

  it.each(['storeAll', 'replaceAll'] as const)(
    'tells its phases in order, with rows and the part of the index that only grow (%s)',
    async load => {
      const reports: LoadProgress[] = [];
      await store[load](rows(5_000, 'new'), { onProgress: report => reports.push(report) });
      const phases = reports.map(({ phase }) => phase);
      expect(phases).toEqual([...phases].sort().reverse());
      expect(new Set(phases)).toEqual(new Set(['writing', 'indexing']));
      const written = reports.map(({ rowsWritten }) => rowsWritten);
      expect(written).toEqual([...written].sort((a, b) => a - b));
      expect(written.at(-1)).toBe(5_000);
      const indexed = reports.flatMap(report => report.indexed ?? []);
      expect(indexed).toEqual([...indexed].sort((a, b) => a - b));
      expect([indexed[0], indexed.at(-1)]).toEqual([0, 1]);
      expect(
        reports.every(({ phase, indexed: part }) => (phase === 'writing') === (part === undefined)),
      ).toBe(true);
    },
  );

  for (const [name, { make, named }] of Object.entries(DEPENDENTS)) {
    it(`does not begin while ${name} relies on the table, and says so`, async () => {
      await store.storeBatch(OLD);
      await query(database.url, ...make);
      const before = await describeTable(database.url, 'embeddings');
      const neverRead = {
        [Symbol.iterator]: () => {
          throw new Error('The stream was read');
        },
      };
      await expect(store.replaceAll(neverRead)).rejects.toMatchObject({
        name: 'VectorStoreSchemaError',
        message: expect.stringContaining(named),
      });
      await assertAsBefore(before);
    });
  }

  it('writes a stream row by row, with one warning, while a view relies on the empty table', async () => {
    await query(database.url, 'create view titles as select title from embeddings');
    await store.storeAll(NEW);
    expect(await contentsOf(store)).toEqual(contentsIn(NEW));
    await query(database.url, 'delete from embeddings');
    await store.storeAll(NEW);
    expect(warnings).toEqual([expect.stringMatching(/one by one.*view titles/)]);
    expect(await query(database.url, 'select from titles')).toHaveLength(NEW.length);
  });

  it('is refused at its end, and changes nothing, when a view came meanwhile', async () => {
    await store.storeBatch(OLD);
    const before = await describeTable(database.url, 'embeddings');
    async function* stream() {
      yield* NEW;
      await query(database.url, 'create view titles as select title from embeddings');
    }
    await expect(store.replaceAll(stream())).rejects.toMatchObject({
      name: 'VectorStoreSchemaError',
      message: expect.stringContaining('view titles'),
    });
    await assertAsBefore(before);
  });

  it.each([
    ['the table was altered, as a migration does', 'alter table embeddings add column added text'],
    ['the table got another index', 'create index added on embeddings (title)'],
    ['its embedding space was replaced', `update embedding_space set model = 'another'`],
  ])('is a conflict at its end, and undoes nothing, when %s', async (_, statement) => {
    const space = { provider: 'p', model: 'm', dimensions: DIMENSIONS, chunkerVersion: 1 };
    await store.useEmbeddingSpace(space);
    for (const [load, prepare] of [
      ['replaceAll', () => store.storeBatch(OLD)],
      ['storeAll', () => store.clear()],
    ] as const) {
      await prepare();
      const before = await contentsOf(store);
      async function* stream() {
        yield* NEW;
        // Not before the first of two batches, which storeAll looks at.
        yield* rows(1_500, 'more');
        await query(
          database.url,
          statement
            .replace('added', `added_${load.toLowerCase()}`)
            .replace('another', `another than ${load}`),
        );
      }
      await expect(store[load](stream()), load).rejects.toMatchObject({ name: 'ConflictError' });
      expect(await contentsOf(store)).toEqual(before);
      expect(await findLeftovers(database.url)).toEqual([]);
    }
    const described = JSON.stringify([
      await describeTable(database.url, 'embeddings'),
      await query(database.url, 'select * from embedding_space'),
    ]);
    expect(described).toMatch(/added_storeall|another than storeAll/);
  });

  it('goes on when the embedding space is claimed that nobody had claimed', async () => {
    const space = { provider: 'p', model: 'm', dimensions: DIMENSIONS, chunkerVersion: 1 };
    async function* stream() {
      yield* NEW;
      yield* rows(1_500, 'more');
      await store.useEmbeddingSpace(space);
    }
    await store.storeAll(stream());
    expect(await store.count()).toBe(3_000);
    expect(await store.embeddingSpace()).toEqual(space);
  });

  it('keeps the vector index as another process has rebuilt it', async () => {
    await store.storeBatch(OLD);
    const other = await openStore(database.url);
    await other.index.rebuild({ m: 24, efConstruction: 100 });
    await other.close();
    const before = await describeTable(database.url, 'embeddings');
    await store.replaceAll(NEW);
    expect(await describeTable(database.url, 'embeddings')).toEqual(before);
    expect(JSON.stringify(before.indexes)).toContain(`m='24'`);
  });

  it('begins at once after a start that has to clean up', async () => {
    for (let start = 0; start < 5; start++) {
      const killed = openPostgresConnection({ connectionString: database.url }, silent);
      await killed.transaction(beginCapture);
      await killed.close();
      // Two replicas start, and both clean up; a third has been there all along.
      const [first, second] = await Promise.all([openStore(database.url), openStore(database.url)]);
      await store.replaceAll(rows(10, `of-start-${start}`));
      await first.replaceAll(rows(10, `by-first-${start}`));
      await second.replaceAll(NEW);
      expect(await contentsOf(store)).toEqual(contentsIn(NEW));
      await Promise.all([first.close(), second.close()]);
    }
    expect(await findLeftovers(database.url)).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('cleans up what was killed in another schema of the database neither there nor here', async () => {
    await query(database.url, 'create schema other');
    const other = { connectionString: database.url, schema: 'other' };
    const killed = openPostgresConnection({ connectionString: database.url }, silent);
    await killed.transaction(beginCapture);
    await killed.close();
    const logger = { ...silent, warn: (message: string) => warnings.push(message) };
    const beside = await openStore(database.url, {
      postgresql: other,
      dimensions: DIMENSIONS,
      logger,
    });
    try {
      await beside.replaceAll(NEW);
      await beside.clear('component:default/e0');
      expect(await beside.count()).toBe(1_350);
    } finally {
      await beside.close();
    }
    expect(warnings).toEqual([]);
    // Not even a note of what happened there.
    expect(await query(database.url, 'select * from embeddings_load_changes')).toEqual([]);
    await store.storeAll([row('written')]);
    await store.replaceAll(NEW);
    expect(await findLeftovers(database.url)).toEqual([]);
  });
});
