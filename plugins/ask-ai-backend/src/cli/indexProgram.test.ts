import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import type { EmbeddingSpace, ReembedResult } from 'backstage-plugin-ask-ai-node';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SearchPlan, VectorIndexOptions } from '../database/vectorIndex/types';
import { ConfigurationError, VectorStoreSchemaError, VectorStoreUnavailableError } from '../errors';
import { calibrationReport, FakeVectorIndex } from '../testing/FakeVectorIndex';
import { recordTerminal } from '../testing/recordTerminal';
import type { OpenStore, StoreOptions, StoreReembedding } from './openStore';
import { runCommandLine } from './runCommandLine';

const plan: SearchPlan = {
  shape: 'nearest',
  indexes: ['embeddings_vector_idx'],
  expected: ['embeddings_vector_idx'],
  usesExpected: true,
  usesVectorIndex: true,
  plan: ['Limit', '  ->  Index Scan using embeddings_vector_idx on embeddings'],
};

const NEXT_SPACE: EmbeddingSpace = {
  provider: 'ollama',
  model: 'nomic-embed-text',
  dimensions: 768,
  chunkerVersion: 1,
};

/** A store of which only the index and the number of rows are looked at. */
class FakeStore implements OpenStore {
  readonly index = new FakeVectorIndex();
  configuredIndex: VectorIndexOptions = {};
  rows = 100_000;
  closed = 0;

  space: EmbeddingSpace = { provider: 'ollama', model: 'old', dimensions: 384, chunkerVersion: 1 };
  reembedded: ReembedResult = { embedded: 1_234, removed: [] };
  left: EmbeddingSpace | undefined;
  readonly reembedding: StoreReembedding = {
    stored: async () => this.space,
    configured: async () => NEXT_SPACE,
    run: async (space, { onProgress, signal }) => {
      onProgress?.({ phase: 'embedding', chunksDone: 617, chunksTotal: 1_234 });
      signal?.throwIfAborted();
      onProgress?.({ phase: 'indexing', chunksDone: 1_234, chunksTotal: 1_234, indexed: 0.5 });
      this.space = space;
      return this.reembedded;
    },
    discard: async () => this.left,
  };

  async count(): Promise<number> {
    return this.rows;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

describe('commands on the vector index', () => {
  let store: FakeStore;
  let signals: EventEmitter;
  let opened: StoreOptions[];
  let openingFails: Error | undefined;

  beforeEach(() => {
    store = new FakeStore();
    signals = new EventEmitter();
    opened = [];
    openingFails = undefined;
  });

  const run = (...words: string[]) => runOn({}, words);

  async function runOn(stream: { isTTY?: boolean }, words: string[]) {
    const { terminal, printed, noted } = recordTerminal(stream);
    const exitCode = await runCommandLine(words, {
      variables: {},
      directory: tmpdir(),
      terminal,
      signals,
      openStore: async options => {
        opened.push(options);
        if (openingFails) {
          throw openingFails;
        }
        return store;
      },
    });
    expect(store.closed).toBe(openingFails ? 0 : opened.length);
    expect(signals.eventNames()).toEqual([]);
    return { exitCode, printed: printed(), noted: noted() };
  }

  const missTarget = () => {
    store.index.report = { ...calibrationReport, recall: 0.81, reachesTarget: false };
  };
  const emptyStore = () => {
    store.index.report = { ...calibrationReport, rows: 0, sampleSize: 0 };
    store.rows = 0;
  };

  describe('recall', () => {
    it('measures and ends with 0 when the target is reached', async () => {
      const { exitCode, printed, noted } = await run('recall', '--sample', '50');
      expect(exitCode).toBe(0);
      expect(printed).toContain('Recall@10  0.972 (target 0.95)\n');
      expect(noted).toBe('');
      expect(store.index.calls).toEqual([
        ['measureRecall', { sampleSize: 50, maxSeconds: undefined }],
      ]);
    });

    it('ends with 1 and says how to calibrate when the target is missed', async () => {
      missTarget();
      const { exitCode, noted } = await run('recall');
      expect(exitCode).toBe(1);
      expect(noted).toContain('ask-ai recall --calibrate');
    });

    it('calibrates', async () => {
      const { exitCode } = await run('recall', '--calibrate', '--max-seconds', '9');
      expect(exitCode).toBe(0);
      expect(store.index.calls).toEqual([['calibrate', { sampleSize: undefined, maxSeconds: 9 }]]);
    });

    it('says how to tune when no ef_search reaches the target', async () => {
      missTarget();
      store.index.report.tune = { m: 24, efConstruction: 128 };
      const { exitCode, noted } = await run('recall', '--calibrate');
      expect(exitCode).toBe(1);
      expect(noted).toContain('m 24 and ef_construction 128');
      expect(noted).toContain('ask-ai reindex --tune');
    });

    it('prints the report with --json, and nothing else', async () => {
      missTarget();
      const { exitCode, printed, noted } = await run('recall', '--json');
      expect(exitCode).toBe(1);
      expect(JSON.parse(printed)).toEqual(store.index.report);
      expect(noted).toBe('');
    });

    it('ends with 3 when nothing is stored', async () => {
      emptyStore();
      const { exitCode, printed, noted } = await run('recall');
      expect(exitCode).toBe(3);
      expect(printed).toBe('');
      expect(noted).toContain('The store is empty');
    });

    it('opens the store that is asked for', async () => {
      await run('recall', '--config', 'a.yaml', '--database-url', 'postgresql://db/x');
      expect(opened).toEqual([{ config: ['a.yaml'], databaseUrl: 'postgresql://db/x' }]);
    });
  });

  describe('explain', () => {
    const bySequence: SearchPlan = {
      ...plan,
      indexes: [],
      usesExpected: false,
      usesVectorIndex: false,
    };

    it('ends with 0 when each shape uses its index', async () => {
      store.index.plans = [plan];
      const { exitCode, printed } = await run('explain');
      expect(exitCode).toBe(0);
      expect(printed).toContain('nearest: embeddings_vector_idx, ok\n    Limit\n');
    });

    it('ends with 1 when one does not', async () => {
      store.index.plans = [plan, bySequence];
      const { exitCode, printed } = await run('explain');
      expect(exitCode).toBe(1);
      expect(printed).toContain('NOT used as expected');
    });

    it('ends with 0 when a small store is read in sequence', async () => {
      store.index.plans = [bySequence];
      store.rows = 57;
      const { exitCode, printed } = await run('explain');
      expect(exitCode).toBe(0);
      expect(printed).toContain('rightly prefers a sequential scan');
    });

    it('prints the plans with --json', async () => {
      store.index.plans = [bySequence];
      const { printed } = await run('explain', '--json');
      expect(JSON.parse(printed)).toEqual({ ok: false, plans: [bySequence] });
    });

    it('ends with 3 when nothing is stored', async () => {
      emptyStore();
      expect((await run('explain')).exitCode).toBe(3);
    });
  });

  describe('reindex', () => {
    it('rebuilds with what is given, and leaves the rest', async () => {
      const { exitCode, printed } = await run('reindex', '--m', '24', '--precision', 'half');
      expect(exitCode).toBe(0);
      expect(printed).toContain('m 24, ef_construction 64, half precision');
      expect(store.index.calls).toEqual([['rebuild', { m: 24, precision: 'half' }]]);
    });

    it('tunes, and tells how far it is', async () => {
      store.index.duringBuild = ({ onProgress }) => onProgress?.({ phase: 'building', share: 0.5 });
      const { exitCode, printed, noted } = await runOn({ isTTY: true }, ['reindex', '--tune']);
      expect(exitCode).toBe(0);
      expect(store.index.calls).toEqual([['tune']]);
      expect(noted).toContain('  50 %  building');
      expect(noted.endsWith('\r\u001b[2K')).toBe(true);
      expect(printed).toMatch(/^Recall@10/);
    });

    it('ends with 1 when the new index misses the target', async () => {
      missTarget();
      expect((await run('reindex', '--m', '8')).exitCode).toBe(1);
    });

    it('warns when the configuration asks for another index', async () => {
      store.configuredIndex = { m: 16 };
      const { noted } = await run('reindex', '--m', '24');
      expect(noted).toContain('The configuration asks for m 16');
    });

    it('stops at Ctrl-C, and says which index serves', async () => {
      store.index.duringBuild = ({ signal }) => {
        signals.emit('SIGINT');
        expect(signal?.aborted).toBe(true);
        throw new VectorStoreUnavailableError('canceling statement due to user request');
      };
      const { exitCode, noted } = await run('reindex', '--tune');
      expect(exitCode).toBe(130);
      expect(noted).toBe(
        'building the index\nStopping. Ctrl-C again ends at once.\nStopped: the old index goes on serving.\n',
      );
    });
  });

  it.each([
    [new VectorStoreUnavailableError('The folder is in use by process 7.'), 4],
    [new VectorStoreSchemaError('Run the migrations.'), 1],
    [new ConfigurationError(['Expected askAi.x to be y, got z']), 2],
  ])('prints %s as it is', async (error, expected) => {
    openingFails = error;
    const { exitCode, printed, noted } = await run('recall');
    expect(exitCode).toBe(expected);
    expect(noted).toBe(`${error.message}\n`);
    expect(printed).toBe('');
  });

  describe('reembed', () => {
    it('embeds what is stored by the configured model', async () => {
      const { exitCode, printed, noted } = await run('reembed');
      expect(exitCode).toBe(0);
      expect(printed).toContain(
        'The index is of ollama/nomic-embed-text (768 dimensions) now: 1,234 chunks were embedded.',
      );
      expect(noted).toContain('embedding (617 of 1,234 chunks) 50 %');
      expect(store.space).toBe(NEXT_SPACE);
    });

    it('has nothing to do when the index is of that model', async () => {
      store.space = NEXT_SPACE;
      const { exitCode, printed } = await run('reembed', '--json');
      expect(exitCode).toBe(0);
      expect(JSON.parse(printed)).toEqual({ space: NEXT_SPACE, embedded: 0, removed: [] });
    });

    it('names what was left out, and ends with 1', async () => {
      store.reembedded.removed = [{ entityId: 'component:default/a', source: 'techdocs' }];
      const { exitCode, noted } = await run('reembed');
      expect(exitCode).toBe(1);
      expect(noted).toContain('Not embedded, and taken up again by the next index run');
      expect(noted).toContain('component:default/a (techdocs)');
    });

    it('says what becomes of a run that is stopped', async () => {
      store.reembedding.run = async (_, { signal }) => {
        signals.emit('SIGINT');
        signal?.throwIfAborted();
        return store.reembedded;
      };
      const { exitCode, noted } = await run('reembed');
      expect(exitCode).toBe(130);
      expect(noted).toContain('"ask-ai reembed" goes on with it');
    });

    it('removes what a stopped run left', async () => {
      expect((await run('reembed', '--discard')).printed).toContain('Nothing was left');
      store.left = NEXT_SPACE;
      const { exitCode, printed } = await run('reembed', '--discard');
      expect(exitCode).toBe(0);
      expect(printed).toContain('Removed what was embedded by ollama/nomic-embed-text');
    });
  });
});
