import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../../tests/services/testDatabase';
import { templateKind } from '../../dev/templateKind';
import askAiPlugin from '..';
import { ALL_KINDS } from '../testing/devBackendConfig';
import { type IndexedRows, readIndexedRows } from '../testing/indexedRows';
import { TestOllamaServer } from '../testing/ollamaServer';
import { receivedTexts } from '../testing/receivedTexts';
import { TEST_MODEL, TEST_MODEL_DIMENSIONS } from '../testing/testRuntime';

/**
 * Names another folder for a check on more: ASK_AI_TEST_CORPUS=/path npm test -- unchangedCorpus
 * It holds `catalog/all.yaml`, and the documentation of its entities either as Markdown that they refer
 * to or in `techdocs`, as the local publisher of TechDocs lays built sites out.
 */
const CORPUS = process.env.ASK_AI_TEST_CORPUS ?? resolve(__dirname, '../../../../examples');

/** A second run of an unchanged corpus takes less, in milliseconds. */
const UNCHANGED_MS = 5_000;

const RUN_MS = 300_000;

/** Built sites; where there are none, the Markdown is read. */
const SITES = 'techdocs';
const SITE_FILE = 'search/search_index.json';

/** Of the edit; of the same length as the word that it stands for, so that the chunks are cut alike. */
const NEW_WORD_LETTER = 'q';

describe(`a corpus that is indexed again (${CORPUS})`, { timeout: 2 * RUN_MS }, () => {
  let folder: string;
  let database: TestDatabase;
  let embeddings: TestOllamaServer;
  let backend: Awaited<ReturnType<typeof startTestBackend>>;
  let api: ReturnType<typeof request>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ask-ai-corpus-'));
    await cp(CORPUS, folder, { recursive: true });
    database = await createTestDatabase({ name: 'corpus' });
    embeddings = await TestOllamaServer.start();
    embeddings.models.set(TEST_MODEL, { dimensions: TEST_MODEL_DIMENSIONS });
    backend = await startTestBackend({
      features: [
        askAiPlugin,
        import('@backstage/plugin-catalog-backend'),
        import('@backstage/plugin-techdocs-backend'),
        templateKind,
        mockServices.rootConfig.factory({ data: configuration() }),
      ],
    });
    api = request(backend.server);
    await endOf('The first run', ({ lastRun }) => lastRun !== undefined);
  }, RUN_MS);

  afterAll(async () => {
    await backend?.stop();
    await embeddings?.close();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const configuration = () => ({
    backend: { baseUrl: 'http://localhost:0' },
    catalog: {
      processingInterval: { seconds: 1 },
      rules: [{ allow: ALL_KINDS }],
      locations: [{ type: 'file', target: join(folder, 'catalog/all.yaml') }],
    },
    techdocs: {
      builder: 'external',
      generator: { runIn: 'local' },
      publisher: { type: 'local', local: { publishDirectory: join(folder, SITES) } },
    },
    askAi: {
      embeddingModel: TEST_MODEL,
      ollamaBaseUrl: embeddings.url,
      schedule: 'manual',
      index: { settleSeconds: 5 },
      vectorStore: {
        type: 'postgresql',
        postgresql: {
          connectionString: database.url,
          // The modules of the other plugins, read meanwhile, keep a busy machine's process for long.
          connectionTimeoutMillis: 60_000,
        },
      },
    },
  });

  const endOf = (what: string, isWanted: (status: IndexStatus) => boolean) =>
    pollUntil(what, RUN_MS, async () => {
      const { body } = await api.get('/api/ask-ai/index/status');
      return body.state === 'idle' && isWanted(body) ? (body as IndexStatus) : undefined;
    });

  /** What a run changed, and what it took. */
  const indexAgain = async () => {
    const before = await readIndexedRows(database.url);
    embeddings.requests.length = 0;
    const startedAt = performance.now();
    const { body } = await api.post('/api/ask-ai/index').send({});
    const { lastRun, failures } = await endOf(
      'The next run',
      ({ lastRun: latest }) => latest?.id === body.runId,
    );
    const tookMs = performance.now() - startedAt;
    expect(failures).toEqual([]);
    expect(lastRun).toMatchObject({ outcome: 'completed' });
    const after = await readIndexedRows(database.url);
    return { before, after, lastRun, tookMs, texts: receivedTexts(embeddings) };
  };

  it('embeds nothing and writes nothing when nothing has changed', async () => {
    const { before, after, lastRun, tookMs, texts } = await indexAgain();
    process.stdout.write(
      `${before.documents.length} documents, ${before.rows.length} chunks: ` +
        `the second run took ${Math.round(tookMs)} ms\n`,
    );
    expect(before.rows.length).toBeGreaterThan(20);
    expect(texts).toEqual([]);
    expect(lastRun).toMatchObject({
      documents: { seen: before.documents.length, changed: 0, removed: 0, failed: 0 },
      chunks: { embedded: 0, skipped: before.rows.length, removed: 0 },
    });
    expect(after).toEqual(before);
    expect(tookMs).toBeLessThan(UNCHANGED_MS);
  });

  it('embeds exactly the chunks that an edit changed', async () => {
    const indexed = await readIndexedRows(database.url);
    const { file, word, entityId, chunks } = await findRareWord(folder, indexed);
    const newWord = NEW_WORD_LETTER.repeat(word.length);
    await edit(file, text => text.replaceAll(word, newWord));
    if (file.endsWith(SITE_FILE)) {
      // A site that is built anew says so.
      const metadata = file.replace(SITE_FILE, 'techdocs_metadata.json');
      await edit(metadata, text => text.replace(/"etag": "/, '"etag": "edited-'));
    }
    const { before, after, lastRun, texts } = await indexAgain();
    expect(texts).toHaveLength(chunks);
    expect(texts.filter(text => text.includes(newWord))).toHaveLength(chunks);
    expect(lastRun).toMatchObject({
      documents: { changed: 1, removed: 0 },
      chunks: { embedded: chunks, removed: chunks, skipped: before.rows.length - chunks },
    });
    // Everything else lies where it lay.
    const untouched = ({ rows }: IndexedRows) =>
      rows.filter(({ content }) => !content.includes(word) && !content.includes(newWord));
    expect(untouched(after)).toEqual(untouched(before));
    const others = ({ documents }: IndexedRows) =>
      documents.filter(document => document.entityId !== entityId || document.source === 'catalog');
    expect(others(after)).toEqual(others(before));
  });

  it('removes the rows of an entity that is gone, and only those', async () => {
    const all = await readIndexedRows(database.url);
    const { entityId } = await findRareWord(folder, all);
    const [kind, name] = entityId.split(/:default\//);
    const { body: entity } = await api
      .get(`/api/catalog/entities/by-name/${kind}/default/${name}`)
      .expect(200);
    await removeFromFile(folder, entity);
    // The catalog would find out by itself, within a minute or two.
    await api.delete(`/api/catalog/entities/by-uid/${entity.metadata.uid}`).expect(204);
    const { before, after, lastRun, texts } = await indexAgain();
    const own = before.rows.filter(row => row.entityId === entityId);
    const ownDocuments = before.documents.filter(document => document.entityId === entityId);
    expect(ownDocuments).toHaveLength(2);
    expect(lastRun?.documents.removed).toBe(2);
    expect(after.rows.some(row => row.entityId === entityId)).toBe(false);
    expect(after.documents.some(document => document.entityId === entityId)).toBe(false);
    // What others say of it is no longer true: they lose a relation, and nothing else is touched.
    const changedIds = new Set(
      after.documents
        .filter(document => !before.documents.some(({ version }) => version === document.version))
        .map(document => document.entityId),
    );
    const rest = ({ rows }: IndexedRows) =>
      rows.filter(row => row.entityId !== entityId && !changedIds.has(row.entityId));
    expect(rest(after)).toEqual(rest(before));
    expect(lastRun?.documents.changed).toBe(changedIds.size);
    expect(lastRun?.chunks.removed).toBeGreaterThanOrEqual(own.length);
    expect(lastRun?.chunks.embedded).toBe(texts.length);
    expect(after.documents).toHaveLength(before.documents.length - 2);
  });
});

/** A word that only one document has, in few of its chunks, and the file that it comes from. */
async function findRareWord(folder: string, { rows }: IndexedRows) {
  const names = (await readdir(folder, { recursive: true })).toSorted();
  const sites = names.filter(name => name.startsWith(SITES) && name.endsWith(SITE_FILE));
  const files = (sites.length > 0 ? sites : names.filter(name => name.endsWith('.md'))).map(name =>
    join(folder, name),
  );
  const texts = new Map<string, string>();
  for (const file of files) {
    texts.set(file, await readFile(file, 'utf8'));
  }
  for (const [file, text] of texts) {
    for (const word of text.match(/(?<=[a-z] )[a-z]{9,15}(?= [a-z])/g) ?? []) {
      const holding = rows.filter(({ content }) => content.includes(word));
      const isOnlyHere = [...texts.values()].filter(other => other.includes(word)).length === 1;
      const first = holding[0];
      if (isOnlyHere && first && holding.every(({ source }) => source === 'techdocs')) {
        return { file, word, entityId: first.entityId, chunks: holding.length };
      }
    }
  }
  throw new Error(`No word in ${folder} is in one document only.`);
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(change(text)).not.toBe(text);
  await writeFile(file, change(text));
}

/** Takes an entity out of the file in which it is described. */
async function removeFromFile(
  folder: string,
  { metadata }: { metadata: { name: string; annotations: Record<string, string> } },
): Promise<void> {
  const file =
    metadata.annotations['backstage.io/managed-by-location']?.replace(/^file:/, '') ?? '';
  expect(file.startsWith(folder)).toBe(true);
  const entities = (await readFile(file, 'utf8')).split(/^---$/m);
  const others = entities.filter(
    entity => !new RegExp(`^  name: ${metadata.name}$`, 'm').test(entity),
  );
  expect(others).toHaveLength(entities.length - 1);
  if (others.length > 0) {
    await writeFile(file, others.join('---'));
  } else {
    // A file of its own: whoever refers to it no longer does.
    await rm(file);
    const all = join(folder, 'catalog/all.yaml');
    const lines = (await readFile(all, 'utf8')).split('\n');
    const base = file.split('/').at(-1) ?? file;
    await writeFile(all, lines.filter(line => !line.trim().endsWith(`/${base}`)).join('\n'));
  }
}
