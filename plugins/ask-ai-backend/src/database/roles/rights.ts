import { getTableName } from 'drizzle-orm';
import {
  askedQuestions,
  embeddingSpace,
  embeddings,
  indexedDocuments,
  indexFailures,
  indexRuns,
  keywordStatistics,
  vectorIndexCalibration,
} from '../schema';

/** A right on a table. */
export type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/** What a role may do with a table, besides the admin, who owns it. */
export interface TableRights {
  table: string;
  writer: readonly Right[];
  reader: readonly Right[];
}

const ALL: readonly Right[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/**
 * What the roles need, and no more. The reader sees what answers are made of: neither who asked for a run,
 * nor the texts of questions. A question is recorded, and an answer rated, by the writer.
 */
export const RIGHTS: readonly TableRights[] = [
  ...[embeddings, embeddingSpace, indexedDocuments, keywordStatistics, vectorIndexCalibration].map(
    table => ({ table: getTableName(table), writer: ALL, reader: ['SELECT'] as const }),
  ),
  ...[indexRuns, indexFailures, askedQuestions].map(table => ({
    table: getTableName(table),
    writer: ALL,
    reader: [],
  })),
  // Whether there is a migration to wait for.
  { table: 'ask_ai_migrations', writer: ['SELECT'], reader: [] },
];
