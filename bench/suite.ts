import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Measurement } from './table';

/** What a suite is run with. */
export interface SuiteOptions {
  /** An empty database with pgvector enabled. */
  url: string;
  rows: number;
  dimensions: number;
  logger: Pick<LoggerService, 'debug' | 'info' | 'warn'>;
}

/** A benchmark: product and raw floor in one process, on the same data. */
export interface Suite {
  name: string;
  what: string;
  /** Rows when the command line does not say. */
  rows: number;
  run(options: SuiteOptions): Promise<Measurement[]>;
}
