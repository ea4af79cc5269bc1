import type { UnansweredQuestions } from 'backstage-plugin-ask-ai-common';
import { and, desc, eq, isNotNull, lt, max, type SQL, sql } from 'drizzle-orm';
import { questionKey } from '../lib/questionKey';
import type { AskedQuestion, QuestionStore } from '../types';
import type { Database, DatabaseConnection } from './connection';
import { translateDatabaseError } from './databaseErrors';
import { askedQuestions } from './schema';

/** Questions in the database, beside the embeddings. */
export class PgQuestionStore implements QuestionStore {
  private constructor(private readonly connection: DatabaseConnection) {}

  /** The connection stays the caller's. */
  static create(connection: DatabaseConnection): PgQuestionStore {
    return new PgQuestionStore(connection);
  }

  async record({ id, model, found, text }: AskedQuestion): Promise<void> {
    await this.run('remember a question', db =>
      db.insert(askedQuestions).values({
        id,
        model,
        found,
        question: text,
        questionKey: text === undefined ? undefined : questionKey(text),
      }),
    );
  }

  async rate(
    answerId: string,
    { rating, comment }: { rating: 'helpful' | 'unhelpful'; comment?: string },
  ): Promise<boolean> {
    const rated = await this.run('remember a rating', db =>
      db
        .update(askedQuestions)
        .set({ rating, comment: comment ?? null })
        .where(eq(askedQuestions.id, answerId))
        .returning({ id: askedQuestions.id }),
    );
    return rated.length > 0;
  }

  async unanswered(limit: number): Promise<UnansweredQuestions> {
    const count = sql<number>`count(*)`.mapWith(Number);
    const lastAskedAt = max(askedQuestions.askedAt);
    const latest = sql<string>`(array_agg(${askedQuestions.question} order by ${askedQuestions.askedAt} desc))[1]`;
    return this.run('read unanswered questions', async db => {
      const [counts] = await db
        .select({
          asked: count,
          unanswered: countOf(sql`not ${askedQuestions.found}`),
          helpful: countOf(sql`${askedQuestions.rating} = 'helpful'`),
          unhelpful: countOf(sql`${askedQuestions.rating} = 'unhelpful'`),
        })
        .from(askedQuestions);
      const rows = await db
        .select({ question: latest, count, lastAskedAt })
        .from(askedQuestions)
        .where(and(eq(askedQuestions.found, false), isNotNull(askedQuestions.questionKey)))
        .groupBy(askedQuestions.questionKey)
        .orderBy(desc(count), desc(lastAskedAt), askedQuestions.questionKey)
        .limit(limit);
      return {
        counts: counts ?? { asked: 0, unanswered: 0, helpful: 0, unhelpful: 0 },
        questions: rows.map(row => ({
          question: row.question,
          count: row.count,
          lastAskedAt: (row.lastAskedAt ?? new Date(0)).toISOString(),
        })),
      };
    });
  }

  async forget(askedBefore: Date): Promise<void> {
    await this.run('forget old questions', db =>
      db.delete(askedQuestions).where(lt(askedQuestions.askedAt, askedBefore)),
    );
  }

  private async run<T>(action: string, work: (db: Database) => Promise<T>): Promise<T> {
    try {
      return await work(this.connection.db);
    } catch (error) {
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }
}

function countOf(condition: SQL) {
  return sql<number>`count(*) filter (where ${condition})`.mapWith(Number);
}
