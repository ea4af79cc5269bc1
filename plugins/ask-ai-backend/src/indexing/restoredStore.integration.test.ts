import type { SearchMode } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { query } from '../../../../tests/services/connect';
import { copyDatabase } from '../../../../tests/services/copyDatabase';
import { startPostgres } from '../../../../tests/services/postgres';
import { DocumentServer, HttpCollector } from '../testing/DocumentServer';
import { documentsOf } from '../testing/documentGenerations';
import { readIndexedRows, withoutVersions } from '../testing/indexedRows';
import { TestOllamaServer } from '../testing/ollamaServer';
import { receivedTexts } from '../testing/receivedTexts';
import type { TestRuntime } from '../testing/testRuntime';
import {
  openRuntime,
  runToItsEnd,
  TEST_MODEL,
  TEST_MODEL_DIMENSIONS,
} from '../testing/testRuntime';

const DOCUMENTS = 80;
const MODES: SearchMode[] = ['hybrid', 'vector', 'keyword'];

describe('a store restored from pg_dump', { timeout: 120_000 }, () => {
  it('answers the same searches, and the next run embeds and writes nothing', async () => {
    const server = await startPostgres({ durable: false });
    const documents = await DocumentServer.start(documentsOf(1, DOCUMENTS));
    const embeddings = await TestOllamaServer.start();
    embeddings.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
    const urlOf = (database: string) =>
      Object.assign(new URL(server.url), { pathname: database }).href;
    const open = (database: string) =>
      openRuntime({
        databaseUrl: urlOf(database),
        embeddingUrl: embeddings.url,
        collectors: [new HttpCollector(documents.url)],
      });
    try {
      await query(server.url, 'create database original', 'create database restored');
      const original = await open('original');
      let found: unknown[];
      try {
        await runToItsEnd(original);
        // Replaced documents leave rows behind that a dump does not have.
        documents.documents = documentsOf(2, DOCUMENTS);
        expect((await runToItsEnd(original)).lastRun).toMatchObject({ outcome: 'completed' });
        found = await searchAll(original, documents);
        await copyDatabase(urlOf('original'), urlOf('restored'));
      } finally {
        await original.close();
      }

      embeddings.requests.length = 0;
      const restored = await open('restored');
      try {
        expect(withoutVersions(await readIndexedRows(urlOf('restored')))).toEqual(
          withoutVersions(await readIndexedRows(urlOf('original'))),
        );
        const before = await readIndexedRows(urlOf('restored'));
        const { lastRun, vectorIndex } = await runToItsEnd(restored);
        expect(lastRun).toMatchObject({
          outcome: 'completed',
          documents: { seen: DOCUMENTS, changed: 0, removed: 0, failed: 0 },
          chunks: { embedded: 0, skipped: before.rows.length, removed: 0 },
        });
        expect(vectorIndex).toMatchObject({ state: 'valid' });
        expect(receivedTexts(embeddings)).toEqual([]);
        expect(await readIndexedRows(urlOf('restored'))).toEqual(before);
        expect(await searchAll(restored, documents)).toEqual(found);
      } finally {
        await restored.close();
      }
    } finally {
      await embeddings.close();
      await documents.close();
      await server.close();
    }
  });
});

/** What every kind of search finds for some of the texts. */
async function searchAll(runtime: TestRuntime, { documents }: DocumentServer): Promise<unknown[]> {
  const texts = [...documents.values()].filter((_, index) => index % 10 === 0).flat();
  const found: unknown[] = [];
  for (const mode of MODES) {
    for (const text of texts) {
      const results = await runtime.search({ query: text, topK: 5, mode });
      expect(results.length).toBeGreaterThan(0);
      found.push(results);
    }
  }
  return found;
}
