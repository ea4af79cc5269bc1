import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Pool } from 'pg';
import { ReleaseStack } from '../../plugins/ask-ai-backend/src/lib/releaseStack';
import type { Run } from '../../plugins/ask-ai-backend/src/types';
import { startCatalog } from '../catalog/startCatalog';
import { FixedEmbeddingProvider } from '../FixedEmbeddingProvider';
import { type FloorRow, openFloor } from '../floor';
import { floorLoad } from '../floorLoad';
import { type IndexRuns, openIndexRuns } from '../indexRuns';
import { clock, residentGrowth, type Work } from '../measure';
import { assertCorrect } from '../measurement';
import { openStore } from '../stores';
import type { Suite, SuiteOptions } from '../suite';

const CHUNKS_PER_SECOND = 1_500;
const MOST_GROWTH_BYTES = 150e6;
const SECOND_RUN_SECONDS = 20;

/** As many chunks an entity the generated catalog gives, at least and on average. */
const CHUNKS_PER_ENTITY = 3;

/** An index as a backend makes it, with nothing left out but the time of the model. */
export const indexing: Suite = {
  name: 'index',
  what: 'a catalog of generated entities, read by HTTP: first index and second run, against raw COPY',
  takes: '10 minutes, most of them for the catalog,',
  rows: 20_000,
  rowsAre: 'entities',
  shortRows: 100,
  async run(options) {
    const releases = new ReleaseStack();
    try {
      options.progress(`starting a catalog with ${options.rows} entities in another process`);
      const catalog = await startCatalog(options.rows, options.progress);
      releases.add(() => catalog.close());
      const url = await options.newDatabase();
      const pool = openFloor(url, 1);
      releases.add(() => pool.end());
      const embeddingProvider = new FixedEmbeddingProvider(options.dimensions);
      const runs = await openIndexRuns({
        url,
        catalog: catalog.service,
        embeddingProvider,
        logger: loggerOf(options),
      });
      releases.add(() => runs.close());
      const first = await firstIndex(options, runs);
      await secondRun(options, runs, { pool, embeddingProvider });
      await compareWithFloor(options, runs, first);
    } finally {
      await releases.releaseAll();
    }
  },
};

/** From the request of the run until it has ended and the vector index is valid. */
async function firstIndex(
  { rows, report, progress }: SuiteOptions,
  runs: IndexRuns,
): Promise<Work> {
  progress('indexing it for the first time');
  let work: Work = { units: 0, elapsedMs: Number.NaN };
  const growth = await residentGrowth(async () => {
    work = await clock(async () => {
      const { chunks } = assertCompleted(await runs.run());
      const { state } = (await runs.store.vectorIndex()) ?? {};
      assertCorrect(state === 'valid', `the vector index is ${state} after the first index`);
      return chunks.embedded;
    });
  });
  const { units: chunks, elapsedMs } = work;
  const stored = await runs.store.stats();
  assertCorrect(
    stored.entityCount === rows,
    `${stored.entityCount} of ${rows} entities are stored`,
  );
  assertCorrect(
    stored.vectorCount === chunks,
    `${stored.vectorCount} of ${chunks} chunks are stored`,
  );
  assertCorrect(
    chunks >= CHUNKS_PER_ENTITY * rows,
    `${rows} entities gave ${chunks} chunks, fewer than ${CHUNKS_PER_ENTITY} an entity`,
  );
  report({ what: 'chunks of the catalog', unit: 'count', ours: chunks });
  report({
    what: 'first index, chunks from the request of the run to a valid vector index',
    unit: 'per second',
    ours: (chunks * 1_000) / elapsedMs,
    target: { atLeast: CHUNKS_PER_SECOND },
  });
  report({
    what: 'growth of the resident set in the first index',
    unit: 'bytes',
    ours: growth,
    target: { atMost: MOST_GROWTH_BYTES },
  });
  return work;
}

async function secondRun(
  { rows, report, progress }: SuiteOptions,
  runs: IndexRuns,
  { pool, embeddingProvider }: { pool: Pool; embeddingProvider: FixedEmbeddingProvider },
): Promise<void> {
  progress('indexing it again, with nothing changed');
  const { given } = embeddingProvider;
  const { vectorCount } = await runs.store.stats();
  const before = await nextTransaction(pool);
  const { elapsedMs } = await clock(async () => {
    const { documents, chunks } = assertCompleted(await runs.run());
    assertCorrect(
      documents.seen === rows,
      `the second run saw ${documents.seen} of ${rows} entities`,
    );
    return chunks.skipped;
  });
  const embedded = embeddingProvider.given - given;
  assertCorrect(embedded === 0, `the second run embedded ${embedded} texts`);
  const written = await rowsWrittenSince(pool, before);
  assertCorrect(written === 0, `the second run wrote ${written} rows`);
  const { vectorCount: left } = await runs.store.stats();
  assertCorrect(left === vectorCount, `the second run left ${left} of ${vectorCount} chunks`);
  report({
    what: 'second run, in which nothing is embedded or written',
    unit: 's',
    ours: elapsedMs / 1_000,
    target: { atMost: SECOND_RUN_SECONDS },
  });
}

/** The same rows but for their title and location, by COPY BINARY and CREATE INDEX, in a database of their own. */
async function compareWithFloor(
  options: SuiteOptions,
  runs: IndexRuns,
  { units, elapsedMs }: Work,
): Promise<void> {
  options.progress(`loading the ${units} rows by COPY`);
  const rows: FloorRow[] = [];
  for await (const { id, vector, documentChunk } of runs.store.export()) {
    const { entityId, content } = documentChunk;
    rows.push({ id, entityId, vector: Float32Array.from(vector), content });
  }
  const url = await options.newDatabase();
  await (await openStore(url, options)).close();
  const pool = openFloor(url, 1);
  try {
    const floor = await clock(async () => {
      await floorLoad(pool, rows);
      return rows.length;
    });
    options.report({
      what: 'first index, against COPY BINARY and CREATE INDEX of the same rows',
      unit: 'per second',
      floor: (floor.units * 1_000) / floor.elapsedMs,
      ours: (units * 1_000) / elapsedMs,
      ratio: floor.elapsedMs / elapsedMs,
    });
  } finally {
    await pool.end();
  }
}

function assertCompleted(run: Run): Run {
  const { state, reason, documents } = run;
  assertCorrect(state === 'completed', `the run ${state}: ${reason}`);
  assertCorrect(documents.failed === 0, `${documents.failed} documents failed`);
  return run;
}

/** No row that was written until now carries this number or a higher one. */
async function nextTransaction(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>('select pg_current_xact_id()::text as id');
  return rows[0]?.id ?? '';
}

async function rowsWrittenSince(pool: Pool, transaction: string): Promise<number> {
  // A row has the lower half of the number; it does not turn over within a benchmark.
  const { rows } = await pool.query<{ written: number }>(
    `select count(*)::int as written
       from (select xmin from embeddings union all select xmin from indexed_documents) as stored
      where xmin::text::bigint >= $1::bigint & 4294967295`,
    [transaction],
  );
  return rows[0]?.written ?? Number.NaN;
}

/** What the product says of a run is progress for the person who waits. */
function loggerOf({ logger, progress }: SuiteOptions): LoggerService {
  const all: LoggerService = {
    ...logger,
    info: text => progress(text),
    error: logger.warn,
    child: () => all,
  };
  return all;
}
