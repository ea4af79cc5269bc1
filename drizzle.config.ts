import { resolve } from 'node:path';
import { defineConfig } from 'drizzle-kit';
import { decryptText, isEncrypted } from './plugins/ask-ai-backend/src/lib/encryptedText';

const databaseUrl = decrypted(process.env.DATABASE_URL);

/** The journal lies in the schema of the tables, so that two schemas never share one. */
const migrations = {
  table: 'ask_ai_migrations',
  schema: process.env.DATABASE_SCHEMA ?? 'public',
};

const shared = {
  dialect: 'postgresql' as const,
  schema: './plugins/ask-ai-backend/src/database/schema.ts',
  out: './drizzle',
  migrations,
  strict: true,
};

/** DATABASE_URL names a server; without it, drizzle-kit works on the embedded store's folder. */
export default databaseUrl
  ? defineConfig({ ...shared, dbCredentials: { url: databaseUrl } })
  : defineConfig({
      ...shared,
      driver: 'pglite',
      dbCredentials: { url: resolve(process.env.ASK_AI_EMBEDDED_DIRECTORY ?? './.data/ask-ai') },
    });

/** DATABASE_URL may be what `ask-ai secret encrypt` printed. */
function decrypted(url: string | undefined): string | undefined {
  if (!url || !isEncrypted(url)) {
    return url;
  }
  const result = decryptText(url, process.env.ASK_AI_SECRET_KEY ?? '');
  if ('problem' in result) {
    throw new Error(`DATABASE_URL can't be decrypted with ASK_AI_SECRET_KEY: ${result.problem}`);
  }
  return result.text;
}
