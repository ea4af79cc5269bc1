import type { ModeEvaluation, QuestionOutcome } from './evaluation';
import { formatTable } from './table';

const HEADER = ['mode, style', 'questions', 'hit@1', 'hit@5', 'MRR', 'nDCG@10', 'p50 ms', 'p95 ms'];

/** Figures by mode and style, for all modes in one table. */
export function formatComparison(evaluations: readonly ModeEvaluation[]): string {
  const rows = evaluations.flatMap(({ mode, metrics }) =>
    metrics.map(({ style, values }) => [
      `${mode}, ${style}`,
      String(values.questions),
      values.hitAt1.toFixed(2),
      values.hitAt5.toFixed(2),
      values.meanReciprocalRank.toFixed(3),
      values.ndcgAt10.toFixed(3),
      values.latencyP50Ms.toFixed(1),
      values.latencyP95Ms.toFixed(1),
    ]),
  );
  return formatTable(HEADER, rows);
}

/** What came first where nothing right was among the first five; empty when there is no such question. */
export function formatMisses({ mode, outcomes }: ModeEvaluation): string {
  const misses = outcomes.filter(({ rank }) => rank === undefined || rank > 5);
  return misses.length > 0
    ? [`Not among the first 5 (${mode}):`, ...misses.map(formatMiss)].join('\n')
    : '';
}

function formatMiss({ question, rank, first }: QuestionOutcome): string {
  const place = rank === undefined ? 'not in 10' : `rank ${rank}`;
  const wanted = `${question.entityRef} ${question.locations.join(' or ')}`;
  const got = first
    ? `${first.documentChunk.entityId} ${first.documentChunk.metadata.location ?? '(no location)'}`
    : 'nothing';
  return [
    `  ${question.id} (${question.style}, ${place}) ${question.question}`,
    `       wanted ${wanted}`,
    `       first  ${got}`,
  ].join('\n');
}
