import type { RankedResult, SearchMode } from 'backstage-plugin-ask-ai-common';
import { firstRank, type Measurement, type RetrievalMetrics, retrievalMetrics } from './metrics';
import type { AnswerableQuestion, Questions, UnanswerableQuestion } from './questions';
import { isRightHit } from './relevance';

/** Hits that are judged: deep enough for a mean reciprocal rank that a reader of a page would see. */
const DEPTH = 10;

/** The calls of a running backend that an evaluation needs. */
export interface EvaluatedBackend {
  search(request: {
    query: string;
    topK: number;
    mode: SearchMode;
  }): Promise<{ results: RankedResult[] }>;
  ask(request: { prompt: string }): Promise<{ found: boolean }>;
}

/** How one question went. */
export interface QuestionOutcome extends Measurement {
  question: AnswerableQuestion;
  /** The best hit, right or wrong. */
  first?: RankedResult;
}

/** How one mode of retrieval went. */
export interface ModeEvaluation {
  mode: SearchMode;
  outcomes: QuestionOutcome[];
  /** By style, in the order of their first question, then `all`. */
  metrics: { style: string; values: RetrievalMetrics }[];
}

/** One question after the other: latencies are of an idle backend. */
export async function evaluateMode(
  backend: EvaluatedBackend,
  questions: readonly AnswerableQuestion[],
  mode: SearchMode,
): Promise<ModeEvaluation> {
  const outcomes: QuestionOutcome[] = [];
  await warmUp(backend, questions, mode);
  for (const question of questions) {
    outcomes.push(await measure(backend, question, mode));
  }
  return { mode, outcomes, metrics: metricsByStyle(outcomes) };
}

/** The questions that were rightly refused. */
export async function countRefused(
  backend: EvaluatedBackend,
  questions: Questions['unanswerable'],
): Promise<{ refused: UnanswerableQuestion[]; answered: UnanswerableQuestion[] }> {
  const refused: UnanswerableQuestion[] = [];
  const answered: UnanswerableQuestion[] = [];
  for (const question of questions) {
    const { found } = await backend.ask({ prompt: question.question });
    (found ? answered : refused).push(question);
  }
  return { refused, answered };
}

/** The first search of a process prepares statements and loads models. */
async function warmUp(
  backend: EvaluatedBackend,
  [question]: readonly AnswerableQuestion[],
  mode: SearchMode,
): Promise<void> {
  if (question) {
    await measure(backend, question, mode);
  }
}

async function measure(
  backend: EvaluatedBackend,
  question: AnswerableQuestion,
  mode: SearchMode,
): Promise<QuestionOutcome> {
  const startedAt = performance.now();
  const { results } = await backend.search({ query: question.question, topK: DEPTH, mode });
  const latencyMs = performance.now() - startedAt;
  const rank = firstRank(results.map(result => isRightHit(question, result.documentChunk)));
  return { question, rank, latencyMs, first: results[0] };
}

function metricsByStyle(outcomes: QuestionOutcome[]): ModeEvaluation['metrics'] {
  const styles = [...new Set(outcomes.map(outcome => outcome.question.style))];
  return [
    ...styles.map(style => ({
      style,
      values: retrievalMetrics(outcomes.filter(outcome => outcome.question.style === style)),
    })),
    { style: 'all', values: retrievalMetrics(outcomes) },
  ];
}
