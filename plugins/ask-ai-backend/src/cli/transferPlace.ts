import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { failure } from './exitCodes';

/** Where embeddings come from or go to. */
export type TransferPlace =
  | { kind: 'backend'; url: string }
  | { kind: 'server'; url: string }
  | { kind: 'embedded'; directory: string }
  | { kind: 'file'; file: string }
  | { kind: 'configured' };

/** One that can be filled. */
export type StorePlace = Exclude<TransferPlace, { kind: 'backend' | 'file' }>;

export const STORES =
  'postgresql://..., embedded:folder, or "configured" for the store in the configuration';

/** A URL of something else, one without its scheme, or libpq's `host=... password=...`. */
const DATABASE_OF_ANOTHER_FORM =
  /^[a-z]+:\/\/|^[^/\s]+:[^/\s]*@|(^|\s)(host|hostaddr|dbname|user|password)\s*=/i;

export const PLACES = `a file, http://... of a running backend, ${STORES}`;

/**
 * @param directory - that paths are relative to.
 * @throws a failure for what can only be meant as a database, but is no URL of one.
 */
export function parsePlace(text: string, directory: string): TransferPlace {
  if (text === 'configured') {
    return { kind: 'configured' };
  }
  if (/^https?:\/\//.test(text)) {
    return { kind: 'backend', url: text };
  }
  if (/^postgres(ql)?:\/\//.test(text)) {
    return { kind: 'server', url: text };
  }
  if (text.startsWith('embedded:')) {
    return { kind: 'embedded', directory: resolve(directory, text.slice('embedded:'.length)) };
  }
  if (DATABASE_OF_ANOTHER_FORM.test(text)) {
    // It may hold a password, so it is not repeated.
    throw failure('usage', `Expected a place to be ${PLACES}; a database is given as a URL.`);
  }
  const path = resolve(directory, text);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? { kind: 'embedded', directory: path } : { kind: 'file', file: path };
}
