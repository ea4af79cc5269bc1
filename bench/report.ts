import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Measurement } from './measurement';
import type { BenchServer } from './server';
import type { Suite } from './suite';

/** What was measured, and on what: the JSON of a run. */
export interface Report {
  suite: string;
  rows: number;
  dimensions: number;
  /** Whether it ran with little effort: then no figure means anything. */
  short: boolean;
  /** ISO 8601, of the start. */
  date: string;
  node: string;
  postgresql: string;
  pgvector: string;
  cpus: number;
  cpu: string;
  measurements: (Measurement & { holds?: boolean })[];
}

export function startReport(
  { name }: Suite,
  { postgresVersion, pgvectorVersion }: BenchServer,
  { rows, dimensions, short }: Pick<Report, 'rows' | 'dimensions' | 'short'>,
): Report {
  return {
    suite: name,
    rows,
    dimensions,
    short,
    date: new Date().toISOString(),
    node: process.version,
    postgresql: postgresVersion,
    pgvector: pgvectorVersion,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    measurements: [],
  };
}

/** Called after each measurement: a run that ends early leaves what it found. */
export function writeReport(report: Report, file: string): void {
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
}
