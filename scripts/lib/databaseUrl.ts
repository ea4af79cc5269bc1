import { decryptText, isEncrypted } from '../../plugins/ask-ai-backend/src/lib/encryptedText';

/** The environment variables that name the database of `npm run db:migrate` and its like. */
export interface DatabaseVariables {
  DATABASE_URL?: string;
  /** Where the tables lie in it; left out: where its search path says. */
  DATABASE_SCHEMA?: string;
  /** For a `DATABASE_URL` that `ask-ai secret encrypt` printed. */
  ASK_AI_SECRET_KEY?: string;
}

/**
 * @returns the URL of the database, in clear, with the schema in its search path; `undefined` where none is
 * named. What is no URL is left as it is, for whoever connects to refuse.
 * @throws Error when it can't be decrypted.
 */
export function databaseUrl(variables: DatabaseVariables): string | undefined {
  const text = decrypted(variables);
  const { DATABASE_SCHEMA: schema } = variables;
  if (!text || !schema || !/^[a-z]+:/.test(text)) {
    return text;
  }
  const name = `"${schema.replaceAll('"', '""')}"`.replace(/[\\ ]/g, '\\$&');
  const options = encodeURIComponent(`-c search_path=${name},public`);
  // Not by URL, which knows no host in the parameters; the last of several options holds.
  return `${text}${text.includes('?') ? '&' : '?'}options=${options}`;
}

function decrypted({ DATABASE_URL, ASK_AI_SECRET_KEY = '' }: DatabaseVariables) {
  if (!DATABASE_URL || !isEncrypted(DATABASE_URL)) {
    return DATABASE_URL;
  }
  const result = decryptText(DATABASE_URL, ASK_AI_SECRET_KEY);
  if ('problem' in result) {
    throw new Error(`DATABASE_URL can't be decrypted with ASK_AI_SECRET_KEY: ${result.problem}`);
  }
  return result.text;
}
