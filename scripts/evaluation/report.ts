import type { ModeEvaluation, QuestionOutcome } from './evaluation';
import { formatTable } from './table';

const HEADER = ['style', 'questions', 'hit@1', 'hit@5', 'MRR', 'p50 ms', 'p95 ms'];

/** Figures by style, and what came first where nothing right was among the first five. */
export function formatEvaluation({ mode, metrics, outcomes }: ModeEvaluation): string {
  const rows = metrics.map(({ style, values }) => [
    style,
    String(values.questions),
    values.hitAt1.toFixed(2),
    values.hitAt5.toFixed(2),
    values.meanReciprocalRank.toFixed(3),
    values.latencyP50Ms.toFixed(1),
    values.latencyP95Ms.toFixed(1),
  ]);
  const misses = outcomes.filter(({ rank }) => rank === undefined || rank > 5);
  return [
    `Mode ${mode}`,
    formatTable(HEADER, rows),
    ...(misses.length > 0 ? ['', 'Not among the first 5:', ...misses.map(formatMiss)] : []),
  ].join('\n');
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
