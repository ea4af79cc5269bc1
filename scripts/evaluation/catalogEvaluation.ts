import type { RankedResult, SearchMode } from 'backstage-plugin-ask-ai-common';
import { type CatalogQuestion, statesFact } from './catalogQuestions';
import type { EvaluatedBackend } from './evaluation';
import { firstRank, hitRate } from './metrics';
import { formatTable } from './table';

/** A fact is one sentence: who asks for it looks at the first hits only. */
export const CATALOG_DEPTH = 3;

/** How one question about the catalog went. */
export interface CatalogOutcome {
  question: CatalogQuestion;
  /** Position of the first hit that states the fact, from 1. */
  rank?: number;
  hits: RankedResult[];
}

export async function evaluateCatalog(
  backend: Pick<EvaluatedBackend, 'search'>,
  questions: readonly CatalogQuestion[],
  mode: SearchMode,
): Promise<CatalogOutcome[]> {
  const outcomes: CatalogOutcome[] = [];
  for (const question of questions) {
    const { results } = await backend.search({
      query: question.question,
      topK: CATALOG_DEPTH,
      mode,
    });
    const rank = firstRank(results.map(hit => statesFact(question, hit.documentChunk)));
    outcomes.push({ question, rank, hits: results });
  }
  return outcomes;
}

/** The share of questions whose fact is among the first hits. */
export function catalogHitRate(outcomes: readonly CatalogOutcome[]): number {
  return hitRate(outcomes, CATALOG_DEPTH);
}

/** Figures by what is asked for, of held-out wordings and of all, and the questions that failed. */
export function formatCatalog(outcomes: readonly CatalogOutcome[]): string {
  const row = (what: string, some: readonly CatalogOutcome[]) => [
    what,
    String(some.length),
    hitRate(some, 1).toFixed(2),
    catalogHitRate(some).toFixed(3),
  ];
  const styles = [...new Set(outcomes.map(({ question }) => question.style))];
  const misses = outcomes.filter(({ rank }) => rank === undefined);
  return [
    formatTable(
      ['catalog questions', 'questions', 'hit@1', `hit@${CATALOG_DEPTH}`],
      [
        ...styles.map(style =>
          row(
            style,
            outcomes.filter(({ question }) => question.style === style),
          ),
        ),
        row(
          'held-out wordings',
          outcomes.filter(({ question }) => question.isHeldOut),
        ),
        row('all', outcomes),
      ],
    ),
    ...misses.map(
      ({ question, hits }) =>
        `  not found: ${question.id} ${question.question}\n       got ${hits.map(({ documentChunk }) => `${documentChunk.entityId} (${documentChunk.metadata.source})`).join(', ') || 'nothing'}`,
    ),
  ].join('\n');
}
