import type { EvaluatedBackend, QuestionOutcome } from './evaluation';
import type { UnanswerableQuestion } from './questions';
import { formatTable } from './table';

/** A passage among as many first hits counts as one that an answer can stand on. */
const ANSWERABLE_DEPTH = 5;

interface AskedQuestion {
  id: string;
  question: string;
  found: boolean;
}

/** How often "not found" was said, by what would have been right. */
export interface Refusals {
  unanswerable: AskedQuestion[];
  /** A right passage was among the first hits: an answer was possible. */
  retrieved: AskedQuestion[];
  /** No right passage was: either is defensible. */
  missed: AskedQuestion[];
}

/** @param outcomes - of the mode that answers are made with. */
export async function askAll(
  backend: Pick<EvaluatedBackend, 'ask'>,
  outcomes: readonly QuestionOutcome[],
  unanswerable: readonly UnanswerableQuestion[],
): Promise<Refusals> {
  const ask = async ({ id, question }: { id: string; question: string }) => ({
    id,
    question,
    found: (await backend.ask({ prompt: question })).found,
  });
  const refusals: Refusals = { unanswerable: [], retrieved: [], missed: [] };
  for (const question of unanswerable) {
    refusals.unanswerable.push(await ask(question));
  }
  for (const { question, rank = Number.POSITIVE_INFINITY } of outcomes) {
    refusals[rank <= ANSWERABLE_DEPTH ? 'retrieved' : 'missed'].push(await ask(question));
  }
  return refusals;
}

/** The counts, and which questions went wrong. */
export function formatRefusals({ unanswerable, retrieved, missed }: Refusals): string {
  const row = (what: string, asked: AskedQuestion[]) => {
    const refused = asked.filter(({ found }) => !found).length;
    const share = asked.length > 0 ? (refused / asked.length).toFixed(2) : '-';
    return [what, String(asked.length), String(refused), share];
  };
  const list = (what: string, wrong: AskedQuestion[]) =>
    wrong.map(({ id, question }) => `  ${what}: ${id} ${question}`);
  return [
    formatTable(
      ['answers', 'questions', '"not found"', 'share'],
      [
        row('unanswerable (to be refused)', unanswerable),
        row(`a right passage in the first ${ANSWERABLE_DEPTH} (to be answered)`, retrieved),
        row(`no right passage in the first ${ANSWERABLE_DEPTH}`, missed),
      ],
    ),
    ...list(
      'answered all the same',
      unanswerable.filter(({ found }) => found),
    ),
    ...list(
      'refused all the same',
      retrieved.filter(({ found }) => !found),
    ),
  ].join('\n');
}
