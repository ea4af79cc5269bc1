import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { PgVectorStore } from '../services/PgVectorStore';

const DIMENSIONS = 384;
const SECRET = 'secretword';
/** Would be seen in a plan: 0.123456 of a stored vector, 0.654321 of a question's. */
const vectorOf = (first: number) =>
  Float32Array.from({ length: DIMENSIONS }, (_, index) => (index === 0 ? first : 0.5));

describe('slow searches on a server', { timeout: 30_000 }, () => {
  let database: TestDatabase;
  const modes: string[] = [];
  const warnings: { message: string; fields: unknown }[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: (message: string, fields?: unknown) => {
      warnings.push({ message, fields });
    },
  };

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.drop());

  const open = (slowQueryMillis: number) =>
    PgVectorStore.create({
      logger,
      postgresql: { connectionString: database.url },
      slowQueryMillis,
      onSlowSearch: mode => modes.push(mode),
    });

  it('are logged with their plan, once a minute, without what was searched for', async () => {
    // No search takes no time at all.
    const store = await open(Number.MIN_VALUE);
    try {
      await store.store({
        id: 'a',
        chunkId: 'a',
        vector: vectorOf(0.123456),
        documentChunk: {
          id: 'a',
          entityId: 'component:default/a',
          entityName: 'a',
          content: 'text',
          metadata: { source: 'catalog', chunkIndex: 0, totalChunks: 1 },
        },
      });
      const filter = { entityIds: [`component:default/${SECRET}`, 'component:default/a'] };
      const query = {
        mode: 'hybrid',
        text: `it's ${SECRET}`,
        vector: vectorOf(0.654321),
        topK: 5,
        filter,
      } as const;
      await store.searchRanked(query);
      await store.search(vectorOf(0.654321), 5, filter);
      const { message, fields } = await pollUntil('The warning', 5_000, async () => warnings[0]);
      expect(message).toMatch(
        /^Slow search: \d+ ms \(mode hybrid, topK 5, filter entityIds\)\.\n.*cost=.*embeddings/s,
      );
      expect(fields).toMatchObject({ slowSearch: { mode: 'hybrid', topK: 5, others: 0 } });
      for (const written of [message, JSON.stringify(fields)]) {
        expect(written).not.toMatch(/secretword|0\.6543|0\.1234|0\.5,/);
      }
      expect(modes).toEqual(['hybrid', 'vector']);
      expect(warnings).toHaveLength(1);
    } finally {
      await store.close();
    }
  });

  it.each([0, 60_000])(
    'are nothing below %i ms, or where they are not looked for',
    async millis => {
      const [before, logged] = [modes.length, warnings.length];
      const store = await open(millis);
      try {
        expect(await store.search(vectorOf(0.654321), 5)).toHaveLength(1);
        expect([modes.length, warnings.length]).toEqual([before, logged]);
      } finally {
        await store.close();
      }
    },
  );
});
