import type { LoggerService } from '@backstage/backend-plugin-api';
import type { PostgresSettings } from '../tests/services/postgres';
import type { Effort } from './measure';
import type { Measurement } from './measurement';

/** What a suite is run with. */
export interface SuiteOptions {
  rows: number;
  dimensions: number;
  effort: Effort;
  /** URL of another empty database with pgvector enabled. */
  newDatabase(): Promise<string>;
  /** Takes a measurement as soon as it is known. */
  report(measurement: Measurement): void;
  /** Tells the person who waits what is being done. */
  progress(text: string): void;
  logger: Pick<LoggerService, 'debug' | 'info' | 'warn'>;
}

/** A benchmark: product and raw floor in one process, on the same data. */
export interface Suite {
  name: string;
  what: string;
  /** For people, on two cores with the default number of rows. */
  takes: string;
  /** Rows when the command line does not say. */
  rows: number;
  /** What is counted as a row, when it is not a vector. */
  rowsAre?: string;
  /** Rows of the short form. */
  shortRows: number;
  /** Settings of a server of its own; without them it runs on the one that the tests use. */
  serverSettings?: PostgresSettings;
  /** @throws Error when a result is wrong; never for a timing. */
  run(options: SuiteOptions): Promise<void>;
}

/** Figures that can be trusted: 500 queries a round, the median of three rounds. */
export const FULL_EFFORT: Effort = { calls: 500, rounds: 3 };

/** Shows that everything works, and measures nothing worth reading. */
export const SHORT_EFFORT: Effort = { calls: 20, rounds: 1 };

/** Neighbours that every suite asks for. */
export const TOP_K = 10;
