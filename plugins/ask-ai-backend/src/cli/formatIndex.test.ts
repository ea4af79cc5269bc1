import { describe, expect, it } from 'vitest';
import type { SearchPlan } from '../database/vectorIndex/types';
import { calibrationReport } from '../testing/FakeVectorIndex';
import { recordTerminal } from '../testing/recordTerminal';
import { adviceToRebuild, configurationConflict, formatPlans, formatRecall } from './formatIndex';

const { terminal } = recordTerminal();

describe('formatRecall', () => {
  it('shows what was measured, of which index, and how fast', () => {
    expect(formatRecall(calibrationReport, true, terminal)).toBe(
      [
        'Recall@10  0.972 (target 0.95)',
        'Sample     100 searches in 100,000 rows',
        'Vectors    384 dimensions',
        'Index      m 16, ef_construction 64, full precision',
        'ef_search  120',
        'By index   p50 1.42 ms, p95 2.10 ms',
        'Exactly    p50 38.2 ms, p95 51.0 ms',
      ].join('\n'),
    );
  });

  it('does not let a recall below the target look like it', () => {
    const report = { ...calibrationReport, recall: 0.9496 };
    expect(formatRecall(report, false, terminal)).toContain('0.949 (target 0.95)');
  });
});

describe('adviceToRebuild', () => {
  it('names the values that it takes', () => {
    const tune = { m: 24, efConstruction: 128 };
    expect(adviceToRebuild({ ...calibrationReport, tune })).toMatch(
      /it takes m 24 and ef_construction 128, or more:\n {2}ask-ai reindex --tune$/,
    );
  });

  it.each([
    ['half', 384, 'ask-ai reindex --precision full'],
    ['half', 3_072, 'lower askAi.vectorStore.postgresql.index.recallTarget'],
    ['full', 384, 'lower askAi.vectorStore.postgresql.index.recallTarget'],
  ] as const)('says what is left to do with %s precision of %i dimensions', (...given) => {
    const [precision, dimensions, text] = given;
    expect(adviceToRebuild({ ...calibrationReport, precision, dimensions })).toContain(text);
  });
});

describe('configurationConflict', () => {
  const index = { m: 24, efConstruction: 128, precision: 'full' } as const;

  it.each([{}, { m: 24 }, index, { efSearch: 40, recallTarget: 0.9 }])('accepts %j', configured => {
    expect(configurationConflict(index, configured)).toBeUndefined();
  });

  it.each([{ m: 16 }, { efConstruction: 64 }, { precision: 'half' as const }])(
    'warns of %j',
    configured => {
      expect(configurationConflict(index, configured)).toContain('builds the index anew');
    },
  );
});

describe('formatPlans', () => {
  const good: SearchPlan = {
    shape: 'nearest',
    indexes: ['embeddings_vector_idx'],
    expected: ['embeddings_vector_idx'],
    usesExpected: true,
    usesVectorIndex: true,
    plan: ['Limit', '  ->  Index Scan using embeddings_vector_idx on embeddings'],
  };
  const bad: SearchPlan = {
    shape: 'nearest in one entity',
    indexes: [],
    expected: ['embeddings_entity_id_idx', 'embeddings_vector_idx'],
    usesExpected: false,
    usesVectorIndex: false,
    plan: ['Seq Scan on embeddings'],
  };

  it('shows the index, the verdict and the plan of each shape', () => {
    expect(formatPlans([good, bad], false, terminal)).toBe(
      [
        'nearest: embeddings_vector_idx, ok',
        '    Limit',
        '      ->  Index Scan using embeddings_vector_idx on embeddings',
        '',
        'nearest in one entity: no index, NOT used as expected: embeddings_entity_id_idx or embeddings_vector_idx',
        '    Seq Scan on embeddings',
      ].join('\n'),
    );
  });

  it('leaves out the numbers of a vector', () => {
    const line = `Sort Key: (vector <=> '[${Array(384).fill('0.25').join(',')}]'::vector)`;
    expect(formatPlans([{ ...bad, plan: [line] }], true, terminal)).toMatch(
      /Sort Key: \(vector <=> '\[\.\.\.\]'::vector\)$/,
    );
  });

  it('does not blame PostgreSQL for reading a small table', () => {
    expect(formatPlans([bad], true, terminal)).toContain(
      'nearest in one entity: no index, ok: in so small a table PostgreSQL rightly prefers a sequential scan',
    );
  });
});
