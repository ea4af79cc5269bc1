import { resolve } from 'node:path';
import { defineConfig } from 'drizzle-kit';
import { parseConnectionString } from './plugins/ask-ai-backend/src/database/connectionString';
import { databaseUrl } from './scripts/lib/databaseUrl';

const url = databaseUrl(process.env);
if (url) {
  // The driver takes any text, and its errors repeat it.
  parseConnectionString(url);
}

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
export default url
  ? defineConfig({ ...shared, dbCredentials: { url } })
  : defineConfig({
      ...shared,
      driver: 'pglite',
      dbCredentials: { url: resolve(process.env.ASK_AI_EMBEDDED_DIRECTORY ?? './.data/ask-ai') },
    });
