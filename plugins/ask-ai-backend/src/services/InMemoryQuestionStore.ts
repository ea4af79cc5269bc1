import type { UnansweredQuestion, UnansweredQuestions } from 'backstage-plugin-ask-ai-common';
import { questionKey } from '../lib/questionKey';
import type { AskedQuestion, QuestionStore } from '../types';

/** Questions that are kept; the oldest go first. */
const KEPT_QUESTIONS = 10_000;

interface Row extends AskedQuestion {
  askedAt: Date;
  rating?: 'helpful' | 'unhelpful';
  comment?: string;
}

/** Questions in the memory of one process. */
export class InMemoryQuestionStore implements QuestionStore {
  /** In the order in which they were asked. */
  private readonly rows = new Map<string, Row>();

  private constructor() {}

  static create(): InMemoryQuestionStore {
    return new InMemoryQuestionStore();
  }

  async record(question: AskedQuestion): Promise<void> {
    this.rows.set(question.id, { ...question, askedAt: new Date() });
    const [oldest] = this.rows.keys();
    if (this.rows.size > KEPT_QUESTIONS && oldest !== undefined) {
      this.rows.delete(oldest);
    }
  }

  async rate(
    answerId: string,
    { rating, comment }: { rating: 'helpful' | 'unhelpful'; comment?: string },
  ): Promise<boolean> {
    const row = this.rows.get(answerId);
    if (row) {
      row.rating = rating;
      row.comment = comment;
    }
    return row !== undefined;
  }

  async unanswered(limit: number): Promise<UnansweredQuestions> {
    const rows = [...this.rows.values()];
    const count = (matches: (row: Row) => boolean) => rows.filter(matches).length;
    return {
      counts: {
        asked: rows.length,
        unanswered: count(({ found }) => !found),
        helpful: count(({ rating }) => rating === 'helpful'),
        unhelpful: count(({ rating }) => rating === 'unhelpful'),
      },
      questions: mostFrequent(rows.filter(({ found }) => !found)).slice(0, limit),
    };
  }

  async forget(askedBefore: Date): Promise<void> {
    for (const { id, askedAt } of this.rows.values()) {
      if (askedAt < askedBefore) {
        this.rows.delete(id);
      }
    }
  }
}

function mostFrequent(rows: Row[]): UnansweredQuestion[] {
  const groups = new Map<string, UnansweredQuestion>();
  for (const { text, askedAt } of rows) {
    if (text !== undefined) {
      const key = questionKey(text);
      const count = (groups.get(key)?.count ?? 0) + 1;
      groups.set(key, { question: text, count, lastAskedAt: askedAt.toISOString() });
    }
  }
  return [...groups.values()].sort(
    (a, b) => b.count - a.count || b.lastAskedAt.localeCompare(a.lastAskedAt),
  );
}
