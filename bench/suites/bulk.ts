import type { Pool } from 'pg';
import { datasetRows } from '../dataset';
import { type FloorRow, floorUpsert, openFloor } from '../floor';
import { floorLoad } from '../floorLoad';
import { clock, compare, rateRounds, residentGrowth, type Work } from '../measure';
import { assertCorrect } from '../measurement';
import { openStore, toEmbedding, toEmbeddings } from '../stores';
import type { Suite, SuiteOptions } from '../suite';

/** Rows of a transaction of the live floor. */
const LIVE_BATCH = 500;

/** The load whose memory is measured has so many times the rows. */
const LONG_LOAD = 10;

const MOST_GROWTH_BYTES = 200e6;

/** A first load: everything from an empty store to a finished vector index. */
export const bulk: Suite = {
  name: 'bulk',
  what: 'a first load with its index, against raw live upserts and raw COPY; memory of ten times the load',
  takes: '5 minutes',
  rows: 20_000,
  shortRows: 300,
  async run(options) {
    // First, while the process is small: later loads would find room that earlier ones left.
    await memoryOfLongLoad(options);
    const rows = [...datasetRows(options.rows, options.dimensions)];
    const url = await options.newDatabase();
    await (await openStore(url, options)).close();
    const pool = openFloor(url, 1);
    try {
      await compareLoads(options, pool, rows);
    } finally {
      await pool.end();
    }
  },
};

async function compareLoads(options: SuiteOptions, pool: Pool, rows: FloorRow[]): Promise<void> {
  const embeddings = rows.map(toEmbedding);
  options.progress(`loading ${rows.length} rows by ours, by live upserts and by COPY, in turn`);
  const sides = {
    live: () => emptied(pool, rows.length, () => upsertAll(pool, rows)),
    copy: () => emptied(pool, rows.length, () => floorLoad(pool, rows)),
    ours: async () => {
      const store = await openStore(await options.newDatabase(), options);
      try {
        return await clock(async () => (await store.storeAll(embeddings)).received);
      } finally {
        await store.close();
      }
    },
  };
  const rounds = await rateRounds(options.effort.rounds, sides, { goesBack: false });
  options.report({
    what: `load of ${rows.length} rows with the index, against live upserts on one connection`,
    unit: 'per second',
    ...compare(rounds, 'ours', 'live'),
    target: { atLeast: 5 },
  });
  options.report({
    what: 'the same, against COPY BINARY and CREATE INDEX',
    unit: 'per second',
    ...compare(rounds, 'ours', 'copy'),
  });
}

/** Emptying is not part of the work. */
async function emptied(pool: Pool, units: number, load: () => Promise<void>): Promise<Work> {
  await pool.query('truncate embeddings');
  return clock(async () => {
    await load();
    return units;
  });
}

async function upsertAll(pool: Pool, rows: FloorRow[]): Promise<void> {
  for (let start = 0; start < rows.length; start += LIVE_BATCH) {
    await floorUpsert(pool, rows.slice(start, start + LIVE_BATCH));
  }
}

async function memoryOfLongLoad(options: SuiteOptions): Promise<void> {
  const count = LONG_LOAD * options.rows;
  options.progress(`loading ${count} rows that are made on the way, for the memory it takes`);
  const store = await openStore(await options.newDatabase(), options);
  try {
    const growth = await residentGrowth(async sample => {
      const sampled = function* () {
        for (const embedding of toEmbeddings(datasetRows(count, options.dimensions))) {
          sample();
          yield embedding;
        }
      };
      await store.storeAll(sampled());
    });
    options.report({
      what: `growth of the resident set while ${count} rows are loaded`,
      unit: 'bytes',
      ours: growth,
      target: { atMost: MOST_GROWTH_BYTES },
    });
    const stored = await store.count();
    assertCorrect(stored === count, `${stored} rows are stored, ${count} were loaded`);
  } finally {
    await store.close();
  }
}
