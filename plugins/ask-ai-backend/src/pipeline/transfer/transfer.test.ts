import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { EmbeddingSpace, EmbeddingVector, StoredDocument } from 'backstage-plugin-ask-ai-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InMemoryVectorStore } from '../../services/InMemoryVectorStore';
import { exportToFile } from './exportToFile';
import { checkImport, importTransfer } from './importTransfer';
import { fileSource, linesSource, storeSource, type TransferSource } from './transferSource';
import { verifyTransfer } from './verifyTransfer';

const SPACE: EmbeddingSpace = { provider: 'p', model: 'm', dimensions: 3, chunkerVersion: 1 };
const ROWS = 1_500;
const quiet = { chunkerVersion: 1, warn: () => {} };

/** So small that an export has many checkpoints. */
const segmentBytes = 4_000;

function embedding(row: number, content = `Chunk ${row}: “ü” \u{1f600}\n`): EmbeddingVector {
  const id = `c${String(row).padStart(5, '0')}`;
  const title = row % 2 === 0 ? { title: `T ${row}`, location: '/docs' } : {};
  return {
    id,
    chunkId: id,
    vector: [Math.cos(row), Math.sin(row), -0.1 * (row % 7)],
    documentChunk: {
      id,
      entityId: `component:default/e${row % 10}`,
      entityName: 'E',
      content,
      metadata: { source: 'techdocs', chunkIndex: row, totalChunks: ROWS, ...title },
    },
  };
}

const DOCUMENTS: StoredDocument[] = Array.from({ length: 10 }, (_, number) => ({
  entityId: `component:default/e${number}`,
  source: 'techdocs',
  fingerprint: `f${number}`,
  chunkCount: ROWS / 10,
}));

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) {
    all.push(row);
  }
  return all;
}

async function filledStore(rows = ROWS): Promise<InMemoryVectorStore> {
  const store = InMemoryVectorStore.create({ dimensions: 3 });
  await store.useEmbeddingSpace(SPACE);
  const all = Array.from({ length: rows }, (_, row) => embedding(row));
  await store.replaceAll(all, { documents: () => DOCUMENTS });
  return store;
}

const emptyStore = () => InMemoryVectorStore.create({ dimensions: 384 });

/** A source that breaks after some rows, as a process that is killed does. */
function breaking(source: TransferSource, after: number): TransferSource {
  return {
    ...source,
    embeddings: async function* (options) {
      let count = 0;
      for await (const row of source.embeddings(options)) {
        if (count++ === after) {
          throw new Error('broken');
        }
        yield row;
      }
    },
  };
}

describe('moving what is stored', () => {
  let directory: string;
  let file: string;
  let store: InMemoryVectorStore;
  let source: TransferSource;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-transfer-'));
    file = join(directory, 'export.ndjson');
    store = await filledStore();
    source = storeSource(store, 'memory');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([false, true])('brings all of it over by a file, compressed: %s', async compress => {
    const { counts } = await exportToFile(source, file, { compress });
    expect(counts).toEqual({ embeddings: ROWS, documents: 10 });
    const target = emptyStore();
    await importTransfer(fileSource(file), target, quiet);
    expect(await collect(target.export())).toEqual(await collect(store.export()));
    expect(await collect(target.documents())).toEqual(DOCUMENTS);
    expect(await target.embeddingSpace()).toEqual(SPACE);
    const report = await verifyTransfer(source, target);
    expect(report).toMatchObject({
      isEqual: true,
      embeddings: { source: ROWS, target: ROWS, missing: [], unexpected: [] },
      documents: { source: 10, target: 10 },
      searches: { count: 20, recall: 1, missed: 0 },
    });
    expect(existsSync(`${file}.part`) || existsSync(`${file}.checkpoint`)).toBe(false);
  });

  it('writes a header, documents, embeddings and an end', async () => {
    await exportToFile(source, file);
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      kind: 'header',
      format: 'ask-ai-export',
      version: 1,
      embeddingSpace: SPACE,
      dimensions: 3,
      counts: { embeddings: ROWS, documents: 10 },
    });
    expect(lines[1]).toEqual({ kind: 'document', ...DOCUMENTS[0] });
    expect(lines[11]).toMatchObject({
      kind: 'embedding',
      id: 'c00000',
      vector: 'AACAPwAAAAAAAACA',
    });
    expect(lines.at(-1)).toMatchObject({
      kind: 'end',
      counts: { embeddings: ROWS, documents: 10 },
    });
  });

  it.each([false, true])('goes on where it was interrupted, compressed: %s', async compress => {
    for (const after of [1_000, 300]) {
      const broken = exportToFile(breaking(source, after), file, { compress, segmentBytes });
      await expect(broken).rejects.toThrow('broken');
      expect(existsSync(file)).toBe(false);
    }
    const { bytes, counts } = JSON.parse(readFileSync(`${file}.checkpoint`, 'utf8'));
    // What a killed process had begun to write.
    writeFileSync(`${file}.part`, '{"kind":"emb', { flag: 'a' });
    const report = await exportToFile(source, file, { compress, segmentBytes });
    expect(report).toEqual({
      counts: { embeddings: ROWS, documents: 10 },
      resumedAfter: counts.embeddings,
    });
    expect(report.resumedAfter).toBeGreaterThan(500);
    expect(bytes).toBeGreaterThan(1_000);
    const written = readFileSync(file);
    const resumed = (compress ? gunzipSync(written) : written).toString();
    await exportToFile(source, `${file}.whole`);
    const whole = readFileSync(`${file}.whole`, 'utf8');
    // The time of the export is another.
    expect(resumed.slice(resumed.indexOf('\n'))).toBe(whole.slice(whole.indexOf('\n')));
  });

  it('goes on with lines that have no place to begin at', async () => {
    const lines = async function* () {
      for await (const { vector, ...row } of store.export()) {
        yield Buffer.from(`${JSON.stringify({ ...row, vector: Array.from(vector) })}\n`);
      }
    };
    const backend = linesSource('http://backend', lines);
    await expect(exportToFile(breaking(backend, 1_000), file, { segmentBytes })).rejects.toThrow(
      'broken',
    );
    expect((await exportToFile(backend, file)).resumedAfter).toBeGreaterThan(500);
    await expect(
      exportToFile(breaking(backend, 1_000), `${file}2`, { segmentBytes }),
    ).rejects.toThrow('broken');
    await store.clear();
    await store.store(embedding(1));
    await expect(exportToFile(backend, `${file}2`)).rejects.toThrow('no longer gives');
    const embeddingSpace = { provider: 'p', model: 'm' };
    const target = emptyStore();
    await expect(importTransfer(fileSource(file), target, quiet)).rejects.toThrow('--space');
    await importTransfer(fileSource(file), target, { ...quiet, embeddingSpace });
    expect(await target.count()).toBe(ROWS);
    expect(await target.embeddingSpace()).toEqual(SPACE);
  });

  it('does not go on with the export of another source, unless it begins anew', async () => {
    await expect(exportToFile(breaking(source, 1_000), file, { segmentBytes })).rejects.toThrow(
      'broken',
    );
    const other = storeSource(store, 'another');
    await expect(exportToFile(other, file)).rejects.toThrow(
      'belongs to an interrupted export of memory',
    );
    expect((await exportToFile(other, file, { restart: true })).resumedAfter).toBe(0);
  });

  it('refuses a file that is damaged or not whole, and leaves the store as it was', async () => {
    await exportToFile(source, file);
    const text = readFileSync(file, 'utf8');
    const target = await filledStore(5);
    const before = await collect(target.export());
    for (const [damaged, message] of [
      [text.slice(0, text.lastIndexOf('{"kind":"end"')), 'without the line that says it is whole'],
      [text.slice(0, 20_000), 'no JSON'],
      [text.replace('Chunk 7:', 'Chunk 8:'), 'damaged'],
      [text.replace('"version":1', '"version":2'), 'newer version'],
      [text.replace('"kind":"document"', '"kind":"page"'), 'expected a header, document'],
      ['PK\u0003\u0004', 'no JSON'],
      ['{"id":"a"}\n', 'expected an embedding'],
    ] as const) {
      writeFileSync(file, damaged);
      await expect(
        importTransfer(fileSource(file), target, { ...quiet, replace: true }),
      ).rejects.toMatchObject({ name: 'TransferError', message: expect.stringContaining(message) });
    }
    expect(await collect(target.export())).toEqual(before);
    expect(await collect(target.documents())).toEqual(DOCUMENTS);
  });

  it('wants an empty store, or to be told to replace', async () => {
    const target = await filledStore(5);
    await expect(importTransfer(source, target, quiet)).rejects.toThrow(
      'holds 5 embeddings already',
    );
    const report = await importTransfer(source, target, { ...quiet, replace: true });
    expect(report).toMatchObject({ counts: { embeddings: ROWS }, replaced: 5 });
    expect(await target.count()).toBe(ROWS);
  });

  it('refuses vectors of another embedding space', async () => {
    const target = InMemoryVectorStore.create({ dimensions: 3 });
    await target.useEmbeddingSpace({ ...SPACE, model: 'other' });
    await target.store(embedding(1));
    const refused = {
      name: 'EmbeddingSpaceMismatchError',
      message: expect.stringMatching(
        /of p\/m \(3 dimensions\), but the store holds vectors of p\/other/,
      ),
    };
    const options = { ...quiet, replace: true };
    await expect(importTransfer(source, target, options)).rejects.toMatchObject(refused);
    await expect(checkImport(source, target, options)).rejects.toMatchObject(refused);
    const embeddingSpace = { provider: 'p', model: 'other' };
    await expect(
      importTransfer(source, emptyStore(), { ...quiet, embeddingSpace }),
    ).rejects.toMatchObject({ name: refused.name });
    expect(await target.count()).toBe(1);
  });

  it('checks all of a source and writes nothing', async () => {
    const target = emptyStore();
    expect(await checkImport(source, target, quiet)).toEqual({
      counts: { embeddings: ROWS, documents: 10 },
      embeddingSpace: SPACE,
      replaced: 0,
    });
    expect([await target.count(), await target.embeddingSpace()]).toEqual([0, undefined]);
    const bad = { ...embedding(1), vector: [0, 0, 0] };
    const wrong: TransferSource = {
      ...source,
      embeddings: async function* () {
        yield bad;
      },
    };
    await expect(checkImport(wrong, undefined, quiet)).rejects.toThrow('vector is zero');
  });

  it('finds each row and document that is not the same', async () => {
    const target = emptyStore();
    await importTransfer(source, target, quiet);
    await target.storeBatch([
      embedding(3, 'other text'),
      { ...embedding(4), vector: [1, 0, 0.5] },
      embedding(9_999),
    ]);
    await target.removeDocument({ entityId: 'component:default/e5', source: 'techdocs' });
    const { isEqual, embeddings, documents } = await verifyTransfer(source, target);
    expect(isEqual).toBe(false);
    expect(embeddings.unexpected).toEqual(['c00003', 'c00004', 'c09999']);
    expect(embeddings.missing.slice(0, 3)).toEqual(['c00003', 'c00004', 'c00005']);
    expect(embeddings).toMatchObject({ source: ROWS, target: ROWS - 149 });
    expect(documents?.missing).toEqual(['component:default/e5 techdocs']);
  });

  it('finds that searches miss what is there', async () => {
    const target = emptyStore();
    await importTransfer(source, target, quiet);
    target.search = async () => [];
    const { isEqual, embeddings, searches } = await verifyTransfer(source, target);
    expect([isEqual, embeddings.missing, searches?.missed]).toEqual([false, [], 20]);
  });
});
