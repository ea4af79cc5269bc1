import { isStorable } from '../lib/validation';
import type { Database, DatabaseConnection } from './connection';
import { translateDatabaseError } from './databaseErrors';

/**
 * Calls of the database whose errors are the plugin's own, until a signal says that it is closed. What is
 * handed out only reads; `transaction` writes.
 */
export class DatabaseCalls {
  constructor(
    private readonly connection: DatabaseConnection,
    private readonly closing: AbortSignal,
  ) {}

  /**
   * @param action - what is done, for the message of an error: "search the vector store".
   * @param signal - of the caller, whose reason may be anything.
   */
  async run<T>(
    action: string,
    work: (db: Database) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    this.closing.throwIfAborted();
    try {
      return await work(this.connection.reader.db);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) {
        throw error;
      }
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }

  transaction<T>(action: string, work: (transaction: Database) => Promise<T>): Promise<T> {
    return this.run(action, () => this.connection.transaction(work));
  }

  /** No row has an id that PostgreSQL can't hold, and the database would refuse to look for it. */
  async runFor<T>(
    entityId: string | undefined,
    action: string,
    otherwise: T,
    work: (db: Database) => Promise<T>,
  ): Promise<T> {
    this.closing.throwIfAborted();
    return entityId === undefined || isStorable(entityId) ? this.run(action, work) : otherwise;
  }

  async *iterate<T>(action: string, work: (db: Database) => AsyncIterable<T>): AsyncIterable<T> {
    this.closing.throwIfAborted();
    try {
      yield* work(this.connection.reader.db);
    } catch (error) {
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }
}
