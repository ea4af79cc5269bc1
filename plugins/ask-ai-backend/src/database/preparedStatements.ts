import { createHash } from 'node:crypto';
import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';

/** A larger topK is rare, and gets no prepared statement of its own. */
const MAX_PREPARED_TOP_K = 100;

/** PostgreSQL cuts off the rest of a name (NAMEDATALEN), and then takes two statements for one. */
const MAX_NAME_LENGTH = 63;

const DIGEST_LENGTH = 12;

/** How the vector index is searched at the moment. */
export interface VectorSearchSettings {
  precision: VectorIndexDefinition['precision'];
  dimensions: number;
  /** Left out: as calibrated. */
  efSearch?: number;
}

/** And how words are searched for. */
export interface RankedSearchSettings extends VectorSearchSettings {
  /** PostgreSQL's text search configuration that the stored words were made by. */
  textSearchConfig: string;
}

/** What Drizzle's query builder prepares. */
export interface Statement<Row> {
  execute(values: Record<string, unknown>): Promise<Row[]>;
}

interface Preparable<Row> {
  prepare(name: string): Statement<Row>;
}

/** Statements by name; each connection prepares a name when it first meets it. */
export class PreparedStatements<Row> {
  private readonly statements = new Map<string, Statement<Row>>();

  /** @param name - must always stand for the same text. */
  get(name: string, build: () => Preparable<Row>): Statement<Row> {
    const statement = this.statements.get(name) ?? build().prepare(shortened(`ask_ai_${name}`));
    this.statements.set(name, statement);
    return statement;
  }

  /** A statement that has `topK` in its text; without a name where that is large. */
  getFor(topK: number, name: string, build: () => Preparable<Row>): Statement<Row> {
    return topK > MAX_PREPARED_TOP_K ? build().prepare('') : this.get(`${name}_${topK}`, build);
  }
}

/** Still readable, and different for different names. */
function shortened(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) {
    return name;
  }
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH);
  return `${name.slice(0, MAX_NAME_LENGTH - 1 - DIGEST_LENGTH)}_${digest}`;
}

/** Whatever the text of a statement by the vector index depends on besides its shape. */
export function variantOf({ precision, dimensions, efSearch }: VectorSearchSettings): string {
  return `${precision}_${dimensions}_${efSearch ?? 'calibrated'}`;
}
