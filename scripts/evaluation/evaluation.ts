import type { DocumentChunk, RankedResult, SearchMode } from 'backstage-plugin-ask-ai-common';
import {
  firstRank,
  type Measurement,
  normalisedGain,
  type RetrievalMetrics,
  retrievalMetrics,
} from './metrics';
import type { AnswerableQuestion } from './questions';
import { isRightHit } from './relevance';

/** Hits that are judged: deep enough for a mean reciprocal rank that a reader of a page would see. */
export const DEPTH = 10;

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
  const chunks = results.map(result => result.documentChunk);
  return {
    question,
    rank: firstRank(chunks.map(chunk => isRightHit(question, chunk))),
    ndcg: normalisedGain(rightPlaces(question, chunks), Math.max(1, question.locations.length)),
    latencyMs,
    first: results[0],
  };
}

/** Of several hits of one place, the first counts. */
function rightPlaces(question: AnswerableQuestion, chunks: DocumentChunk[]): boolean[] {
  const seen = new Set<string>();
  return chunks.map(chunk => {
    const place = chunk.metadata.location ?? chunk.id;
    const isRight = isRightHit(question, chunk) && !seen.has(place);
    seen.add(place);
    return isRight;
  });
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
