import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { query } from '../tests/services/connect';
import {
  createTestDatabase,
  type TestDatabase,
  testServerUrl,
} from '../tests/services/testDatabase';
import { SERVER_VARIABLE } from '../tests/services/testServer';
import { datasetRows, namespaceRows } from './dataset';
import { openFloor } from './floor';
import { floorLoad } from './floorLoad';
import type { Measurement } from './measurement';
import { openStore } from './stores';
import { SHORT_EFFORT, type Suite } from './suite';
import { SUITES } from './suites';
import { formatLine, formatTable } from './table';

const DIMENSIONS = 384;

/** Of one suite, with all others at work beside it. */
const TIMEOUT_MS = 120_000;

const logger = { debug: () => {}, info: () => {}, warn: () => {} };
const databases: TestDatabase[] = [];

afterAll(async () => {
  await Promise.all(databases.map(database => database.drop()));
});

async function newDatabase(): Promise<string> {
  const database = await createTestDatabase({ name: 'bench' });
  databases.push(database);
  return database.url;
}

/** Runs the short form, which rejects when a result is wrong. */
async function runShort(suite: Suite): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  await suite.run({
    rows: suite.shortRows,
    dimensions: DIMENSIONS,
    effort: SHORT_EFFORT,
    newDatabase,
    report: measurement => measurements.push(measurement),
    progress: () => {},
    logger,
  });
  return measurements;
}

/** What each suite must have looked at, by a part of the lines of its table. */
const EXPECTED: Record<string, string[]> = {
  search: ['search, k = 10', 'one entity', '8 clients', 'PgBouncer', 'recall@10'],
  decorators: ['decorated against alone'],
  hybrid: ['hybrid search', 'keyword search', 'p95', 'share of questions'],
  upsert: ['new rows', 'unchanged rows'],
  bulk: ['resident set', 'live upserts', 'COPY BINARY'],
  index: ['chunks of the catalog', 'valid vector index', 'resident set', 'second run', 'COPY'],
  filter: ['10 %', '1 %', '0.1 %', 'fewest hits', 'recall@10', 'p50'],
  cache: ['hit in the process', 'hit in Redis', 'miss'],
  recall: ['full precision: recall@10', 'half precision: recall@10', 'size of the vector index'],
  memory: ['exact search'],
  stores: ['memory: load', 'embedded: opened again', 'postgresql: search'],
  scale: ['load of', 'build', 'calibration', 'size of the table', 'at the same recall', 'p95'],
};

describe('the short form of a benchmark', () => {
  // All at once: figures are not looked at, and a rebuild waits for other replicas.
  it.concurrent.each(SUITES.map(suite => [suite.name, suite] as const))(
    'gives right results and finite figures: %s',
    async (name, suite) => {
      const measurements = await runShort(suite);
      for (const { what, floor = 0, ours, ratio = 0 } of measurements) {
        expect([what, floor, ours, ratio].filter(value => !isKnown(value))).toEqual([]);
      }
      const table = formatTable(measurements);
      expect(EXPECTED[name]?.filter(part => !table.includes(part))).toEqual([]);
      const names = measurements.map(({ what }) => what);
      expect(new Set(names).size).toBe(names.length);
      expect(measurements.map(formatLine).every(line => !line.includes('\n'))).toBe(true);
    },
    TIMEOUT_MS,
  );
});

describe('npm run bench', () => {
  it(
    'ends when it has printed its table, whatever is left open',
    async () => {
      const args = ['--import', 'tsx', join(__dirname, 'main.ts'), 'cache', '--short'];
      const printed = await new Promise<string>((resolve, reject) => {
        const options = {
          timeout: TIMEOUT_MS,
          env: { ...process.env, [SERVER_VARIABLE]: testServerUrl() },
        };
        execFile(process.execPath, args, options, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        );
      });
      expect(printed).toContain('miss, with Redis');
    },
    TIMEOUT_MS,
  );
});

describe('the load of the floor', () => {
  it('stores each row as it is and leaves a valid vector index', async () => {
    const url = await newDatabase();
    const store = await openStore(url, { dimensions: DIMENSIONS, logger });
    const pool = openFloor(url, 1);
    try {
      const rows = [...datasetRows(300, DIMENSIONS)];
      await floorLoad(pool, rows);
      for await (const { id, vector, documentChunk } of store.export()) {
        const row = rows[Number(id.slice('chunk-'.length))];
        expect([id, documentChunk.entityId, documentChunk.content]).toEqual([
          row?.id,
          row?.entityId,
          row?.content,
        ]);
        expect(Array.from(vector)).toEqual(Array.from(row?.vector ?? []));
      }
      expect(await store.count()).toBe(rows.length);
      expect(
        await query(
          url,
          "select indisvalid from pg_index where indexrelid = 'embeddings_vector_idx'::regclass",
        ),
      ).toEqual([{ indisvalid: true }]);
    } finally {
      await store.close();
      await pool.end();
    }
  });
});

describe('the data set', () => {
  it('has namespaces of a tenth, a hundredth and a thousandth of the rows', () => {
    const sizes = ['tenth', 'hundredth', 'thousandth'].map(
      namespace => [...namespaceRows(namespace, 2_000, 4)].length,
    );
    expect(sizes).toEqual([200, 20, 2]);
  });
});

function isKnown(value: string | number): boolean {
  return typeof value === 'string' ? value !== '' : Number.isFinite(value);
}
