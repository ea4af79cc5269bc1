import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import { openEmbeddedConnection } from '../../plugins/ask-ai-backend/src/database/embeddedConnection';
import { InMemoryVectorStore } from '../../plugins/ask-ai-backend/src/services/InMemoryVectorStore';
import { PgVectorStore } from '../../plugins/ask-ai-backend/src/services/PgVectorStore';
import { datasetRows, queries } from '../dataset';
import { latencyRounds, timed } from '../measure';
import { assertCorrect } from '../measurement';
import { openStore, toEmbeddings } from '../stores';
import { type Suite, type SuiteOptions, TOP_K } from '../suite';

/** A call to the slowest store takes several times as long as one to a server. */
const MAX_CALLS = 100;

/** The three stores of the product on the same rows: for the choice between them. */
export const stores: Suite = {
  name: 'stores',
  what: 'the stores in memory, in a folder and on a server, each with its defaults',
  takes: '2 minutes',
  rows: 20_000,
  shortRows: 500,
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'ask-ai-bench-'));
    const url = await options.newDatabase();
    try {
      await measureStore('memory', options, async () =>
        InMemoryVectorStore.create({ dimensions: options.dimensions }),
      );
      await measureStore('embedded', options, async () =>
        PgVectorStore.create({
          connection: await openEmbeddedConnection(join(folder, 'store')),
          logger: options.logger,
          dimensions: options.dimensions,
        }),
      );
      await measureStore('postgresql', options, () => openStore(url, options));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measureStore(
  name: string,
  { rows, dimensions, effort, report, progress }: SuiteOptions,
  open: () => Promise<IVectorStore>,
): Promise<void> {
  progress(`loading ${rows} rows: ${name}`);
  let store = await open();
  try {
    const loadMs = await timed(() => store.storeAll(toEmbeddings(datasetRows(rows, dimensions))));
    report({ what: `${name}: load`, unit: 's', ours: loadMs / 1_000 });
    if (name !== 'memory') {
      await store.close();
      const openMs = await timed(async () => {
        store = await open();
      });
      report({ what: `${name}: opened again`, unit: 's', ours: openMs / 1_000 });
    }
    const calls = Math.min(MAX_CALLS, effort.calls);
    const vectors = queries(calls, dimensions);
    const rounds = await latencyRounds(
      { ...effort, calls },
      {
        ours: async call => {
          const hits = await store.search(vectors[call] as Float32Array, TOP_K);
          assertCorrect(hits.length === TOP_K, `${name} found ${hits.length} of ${TOP_K} passages`);
        },
      },
    );
    const latencies = rounds.map(({ ours }) => ours).sort((a, b) => a.p50Ms - b.p50Ms);
    const median = latencies[Math.floor(latencies.length / 2)];
    assertCorrect(median !== undefined, `${name} was not measured`);
    report({
      what: `${name}: search, k = ${TOP_K}, p50`,
      unit: 'ms',
      ours: median?.p50Ms ?? Number.NaN,
    });
    report({ what: `${name}: search, p95`, unit: 'ms', ours: median?.p95Ms ?? Number.NaN });
  } finally {
    await store.close();
  }
}
