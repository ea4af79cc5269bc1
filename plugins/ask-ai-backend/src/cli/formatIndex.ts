import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type {
  CalibrationReport,
  LatencySummary,
  RecallReport,
  SearchPlan,
  VectorIndexOptions,
} from '../database/vectorIndex/types';
import { formatRows } from './formatRows';
import { latency, part, plural } from './formatUnits';
import { describeDefinition, onlyGiven } from './indexDefinition';
import type { Terminal } from './terminal';

/** An index of full precision ends there (pgvector README, "HNSW"). */
const MOST_FULL_DIMENSIONS = 2_000;

/** Hundreds of numbers, which tell a reader nothing. */
const VECTOR_LITERAL = /'\[[^\]']{20,}\]'/g;

/** What was measured, as a table for a person. */
export function formatRecall(report: RecallReport, reachesTarget: boolean, terminal: Terminal) {
  const { neighbours, recall, recallTarget, sampleSize, rows, dimensions } = report;
  const found = terminal.style(reachesTarget ? 'green' : 'red', part(recall));
  return formatRows(
    [
      [`Recall@${neighbours}`, `${found} (target ${part(recallTarget)})`],
      ['Sample', `${plural(sampleSize, 'search', 'searches')} in ${plural(rows, 'row')}`],
      ['Vectors', `${dimensions} dimensions`],
      ['Index', describeDefinition(report)],
      ['ef_search', String(report.efSearch)],
      ['By index', latencyOf(report.index)],
      ['Exactly', latencyOf(report.exact)],
    ],
    terminal,
  ).join('\n');
}

function latencyOf({ p50Ms, p95Ms }: LatencySummary): string {
  return `p50 ${latency(p50Ms)}, p95 ${latency(p95Ms)}`;
}

/** What to do when a measurement, without calibration, was below the target. */
export const ADVICE_TO_CALIBRATE =
  'Recall is below its target. Let the smallest ef_search that reaches it be found, and used by every replica:\n' +
  '  ask-ai recall --calibrate';

/** What to do when no ef_search reaches the target. */
export function adviceToRebuild({ tune, precision, dimensions }: CalibrationReport): string {
  if (tune) {
    return (
      'No ef_search reaches the target with this index. Build one that does; ' +
      `it takes m ${tune.m} and ef_construction ${tune.efConstruction}, or more:\n` +
      '  ask-ai reindex --tune'
    );
  }
  return precision === 'half' && dimensions <= MOST_FULL_DIMENSIONS
    ? 'No ef_search reaches the target with an index of half precision. Build one of full precision:\n' +
        '  ask-ai reindex --precision full'
    : 'No ef_search reaches the target, and no larger index is known to: lower askAi.vectorStore.postgresql.index.recallTarget.';
}

/** Where the configuration asks for another index than there is now; it wins in the end. */
export function configurationConflict(
  index: VectorIndexDefinition,
  configured: VectorIndexOptions,
): string | undefined {
  const wanted = { ...index, ...onlyGiven(configured) };
  const isSame =
    wanted.m === index.m &&
    wanted.efConstruction === index.efConstruction &&
    wanted.precision === index.precision;
  return isSame
    ? undefined
    : `The configuration asks for ${describeDefinition(wanted)}, and a backend with it builds the index anew: ` +
        'change or leave out m, efConstruction and precision in askAi.vectorStore.postgresql.index.';
}

/** How PostgreSQL carries out each shape of search. */
export function formatPlans(
  plans: readonly SearchPlan[],
  isSmall: boolean,
  terminal: Terminal,
): string {
  return plans.map(plan => formatPlan(plan, isSmall, terminal)).join('\n\n');
}

function formatPlan(search: SearchPlan, isSmall: boolean, terminal: Terminal): string {
  const used = search.indexes.length > 0 ? search.indexes.join(', ') : 'no index';
  return [
    `${terminal.style('bold', search.shape)}: ${used}, ${judge(search, isSmall, terminal)}`,
    ...search.plan.map(line => `    ${line.replace(VECTOR_LITERAL, "'[...]'")}`),
  ].join('\n');
}

function judge({ usesExpected, expected }: SearchPlan, isSmall: boolean, terminal: Terminal) {
  if (usesExpected) {
    return terminal.style('green', 'ok');
  }
  return isSmall
    ? 'ok: in so small a table PostgreSQL rightly prefers a sequential scan'
    : terminal.style('red', `NOT used as expected: ${expected.join(' or ')}`);
}
