import { sql } from 'drizzle-orm';
import { VectorStoreSchemaError } from '../errors';
import { type Database, selectRows } from './connection';

/** Faults of pgvector that a newer release mended, the newest first. */
const KNOWN_FAULTS = [
  { mendedIn: '0.8.4', fault: 'faults of HNSW indexes that are vacuumed' },
  {
    mendedIn: '0.8.2',
    fault: 'CVE-2026-3172 (a buffer overflow in parallel builds of HNSW indexes)',
  },
];

/**
 * What is wrong with the installed version of pgvector, with the remedy; `undefined` when nothing is known.
 *
 * @throws VectorStoreSchemaError when the extension is not installed in the database.
 */
export async function describeExtensionFaults(db: Database): Promise<string | undefined> {
  const [row] = await selectRows<{ version: string }>(
    db,
    sql`select extversion as version from pg_extension where extname = 'vector'`,
  );
  if (!row) {
    throw new VectorStoreSchemaError(
      'The extension pgvector is not installed in this database: run CREATE EXTENSION vector as somebody who may.',
    );
  }
  return faultsOf(row.version);
}

/** @param version - such as `0.8.1`. */
export function faultsOf(version: string): string | undefined {
  const faults = KNOWN_FAULTS.filter(({ mendedIn }) => isBefore(version, mendedIn));
  const [newest] = faults;
  return (
    newest &&
    `pgvector ${version} has ${faults.map(({ fault }) => fault).join(' and ')}: install ${newest.mendedIn} or newer on the server, then run ALTER EXTENSION vector UPDATE.`
  );
}

function isBefore(version: string, other: string): boolean {
  const [left, right] = [version, other].map(text => text.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0);
    if (difference !== 0) {
      return difference < 0;
    }
  }
  return false;
}
