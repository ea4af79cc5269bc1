import { runProcess } from '../../plugins/ask-ai-backend/src/cli/runProcess';
import { databaseUrl } from './databaseUrl';

/** A command of `ask-ai` on the database that DATABASE_URL and DATABASE_SCHEMA name, else as configured. */
export function runOnDatabase(command: 'migrate' | 'rollback'): void {
  const url = databaseUrl(process.env) ?? process.env.ASK_AI_DATABASE_URL;
  runProcess([command, ...process.argv.slice(2)], {
    variables: { ...process.env, ASK_AI_DATABASE_URL: url },
    openStore: () => Promise.reject(new Error('This command opens no store.')),
  });
}
