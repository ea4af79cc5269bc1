import type { IndexStatus, RunSummary, VectorIndexStatus } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { formatIndexNote, formatStatus } from './formatStatus';
import { createTerminal } from './terminal';

const silent = { write: () => {} };
const terminal = createTerminal(silent, silent, {});

const counts = {
  documents: { seen: 40, changed: 2, removed: 1, failed: 1 },
  chunks: { embedded: 5, skipped: 214, removed: 3 },
};

const lastRun: RunSummary = {
  ...counts,
  id: 'r1',
  trigger: 'startup',
  outcome: 'completed',
  startedAt: '2026-01-01T10:00:00Z',
  finishedAt: '2026-01-01T10:00:03.200Z',
};

const idle: IndexStatus = { state: 'idle', vectorCount: 1_214, entityCount: 31, failures: [] };

const vectorIndex: VectorIndexStatus = {
  state: 'valid',
  m: 16,
  efConstruction: 64,
  precision: 'full',
  efSearch: 100,
  recallTarget: 0.95,
};

const running: IndexStatus = {
  ...idle,
  state: 'running',
  progress: {
    ...counts,
    id: 'r2',
    trigger: 'startup',
    startedAt: '2026-01-01T10:00:00Z',
    documentsPerSecond: 3,
    estimatedSecondsLeft: 150,
  },
};

describe('formatStatus', () => {
  it('tells size, last run, next run and failures', () => {
    const status: IndexStatus = {
      ...idle,
      embeddingSpace: { provider: 'ollama', model: 'nomic', dimensions: 768, chunkerVersion: 1 },
      lastRun,
      nextRun: '2026-01-01T10:30:03Z',
      failures: [{ entityId: 'component:default/x', source: 'techdocs', reason: 'no mkdocs.yml' }],
    };
    expect(formatStatus(status, terminal, new Date('2026-01-01T10:02:03Z'))).toBe(
      [
        'Index        idle, 1,214 chunks of 31 entities',
        'Embedded by  ollama/nomic, 768 dimensions',
        'Last run     completed 2 min ago after 3.2 s (startup); documents: 40 seen, 2 changed, 1 removed, 1 failed; chunks: 5 embedded, 214 skipped, 3 removed',
        'Next run     in 28 min',
        'Failures     1',
        '  ✗ component:default/x (techdocs): no mkdocs.yml',
      ].join('\n'),
    );
  });

  it('tells how the vector index is built and how much it finds', () => {
    const measured = { recall: 0.97, sampleSize: 100, rows: 100_000, measuredAt: '2026-01-01' };
    const status = { ...idle, vectorIndex: { ...vectorIndex, measured } };
    expect(formatStatus(status, terminal, new Date())).toBe(
      [
        'Index         idle, 1,214 chunks of 31 entities',
        'Vector index  m 16, ef_construction 64, full precision, ef_search 100, recall 0.97 of 100,000 rows (target 0.95)',
      ].join('\n'),
    );
  });

  it('tells of a vector index that is not there, or not measured', () => {
    const status = { ...idle, vectorIndex: { ...vectorIndex, state: 'missing' as const } };
    expect(formatStatus(status, terminal, new Date())).toContain(
      'Vector index  missing, m 16, ef_construction 64, full precision, ef_search 100, recall not measured yet (target 0.95)',
    );
  });

  it('tells how far a run is', () => {
    expect(formatStatus(running, terminal, new Date())).toContain(
      'This run  40 documents so far, about 3 min left; documents: 40 seen',
    );
  });
});

describe('formatIndexNote', () => {
  const empty = { ...idle, vectorCount: 0, entityCount: 0 };

  it('says nothing of a complete index, even while it is brought up to date', () => {
    expect(formatIndexNote(idle)).toBeUndefined();
    expect(formatIndexNote({ ...running, lastRun })).toBeUndefined();
  });

  it.each([
    [running, 'The index is being built (40 documents so far, about 3 min left)'],
    [{ ...running, vectorCount: 0, lastRun }, 'The index is empty and being built (40 documents'],
    [empty, 'The index is empty: the first run begins'],
    [{ ...empty, lastRun }, 'The index is empty: the last run found no documents'],
    [
      { ...empty, lastRun: { ...lastRun, outcome: 'failed' as const, reason: 'Ollama is down.' } },
      'The index is empty: the last run failed. Ollama is down.',
    ],
  ])('says why an answer may be incomplete: %#', (status, beginning) => {
    expect(formatIndexNote(status)).toContain(beginning);
  });
});
