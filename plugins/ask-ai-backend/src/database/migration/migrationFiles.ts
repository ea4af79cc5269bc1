import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { VectorStoreSchemaError } from '../../errors';

/** A migration that this version brings. */
export interface Migration {
  /** `0001_initial_schema` */
  name: string;
  /** When drizzle-kit generated it, in milliseconds: orders migrations, and names one in the journal. */
  when: number;
  /** SHA-256 of its file, as drizzle-kit counts it. */
  hash: string;
  /** The same file with line ends as Unix and as Windows write them. */
  equalHashes: ReadonlySet<string>;
  statements: string[];
}

/** What drizzle-kit writes between the statements of a file. */
const BREAKPOINT = '--> statement-breakpoint';

/** The package brings its migrations along; in the repository they lie at the root. */
export function migrationsFolder(): string {
  const candidates = [
    resolve(__dirname, '../drizzle'),
    resolve(__dirname, '../../../drizzle'),
    resolve(__dirname, '../../../../../drizzle'),
  ];
  const found = candidates.find(folder => existsSync(resolve(folder, 'meta/_journal.json')));
  if (!found) {
    throw new VectorStoreSchemaError(
      `The migrations are missing: none of ${candidates.join(', ')} holds meta/_journal.json. Install the package again.`,
    );
  }
  return found;
}

/**
 * The migrations of a folder, the oldest first.
 *
 * @throws VectorStoreSchemaError when a file is missing.
 */
export function readMigrations(folder: string): Migration[] {
  const { entries } = JSON.parse(readText(folder, 'meta/_journal.json')) as {
    entries: { tag: string; when: number }[];
  };
  return entries
    .map(({ tag, when }) => {
      const text = readText(folder, `${tag}.sql`);
      const unixText = text.replaceAll('\r\n', '\n');
      return {
        name: tag,
        when,
        hash: sha256(text),
        equalHashes: new Set([text, unixText, unixText.replaceAll('\n', '\r\n')].map(sha256)),
        statements: splitStatements(text),
      };
    })
    .sort((a, b) => a.when - b.when);
}

/**
 * The statements that undo a migration; none when its file holds nothing but comments.
 *
 * @throws VectorStoreSchemaError when there is no such file.
 */
export function readDownStatements(folder: string, { name }: Migration): string[] {
  return splitStatements(readText(folder, `down/${name}.sql`));
}

/** Every word of a migration that may be the name of something it makes. */
export function wordsOf({ statements }: Migration): string[] {
  return statements.join('\n').match(/[A-Za-z_][A-Za-z0-9_$]*/g) ?? [];
}

function splitStatements(text: string): string[] {
  return text.split(BREAKPOINT).filter(part => part.replace(/^\s*--.*$/gm, '').trim() !== '');
}

function readText(folder: string, file: string): string {
  try {
    return readFileSync(resolve(folder, file), 'utf8');
  } catch (error) {
    throw new VectorStoreSchemaError(
      `The migrations in ${folder} are incomplete: ${file} can't be read. Install the package again, or restore the file.`,
      { cause: error },
    );
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
