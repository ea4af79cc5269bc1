// npm run db:rollback: `ask-ai rollback` on the database that `npm run db:migrate` works on, which
// DATABASE_URL and DATABASE_SCHEMA name.
import { runCommandLine } from '../plugins/ask-ai-backend/src/cli/runCommandLine';
import { createTerminal } from '../plugins/ask-ai-backend/src/cli/terminal';

function databaseUrl({ DATABASE_URL, DATABASE_SCHEMA }: NodeJS.ProcessEnv): string | undefined {
  if (!DATABASE_URL || !DATABASE_SCHEMA) {
    return DATABASE_URL;
  }
  const url = new URL(DATABASE_URL);
  const schema = `"${DATABASE_SCHEMA.replaceAll('"', '""')}"`.replace(/[\\ ]/g, '\\$&');
  url.searchParams.set('options', `-c search_path=${schema},public`);
  return url.href;
}

runCommandLine(['rollback', ...process.argv.slice(2)], {
  variables: {
    ...process.env,
    ASK_AI_DATABASE_URL: databaseUrl(process.env) ?? process.env.ASK_AI_DATABASE_URL,
  },
  directory: process.cwd(),
  terminal: createTerminal(process.stdout, process.stderr, process.env),
  signals: process,
  openStore: () => Promise.reject(new Error('This command opens no store.')),
}).then(exitCode => {
  process.exitCode = exitCode;
});
