// npm run db:rollback: `ask-ai rollback` on the database that DATABASE_URL and DATABASE_SCHEMA name.
import { runOnDatabase } from './lib/runOnDatabase';

runOnDatabase('rollback');
