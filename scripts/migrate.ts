// npm run db:migrate: `ask-ai migrate` on the database that DATABASE_URL and DATABASE_SCHEMA name. It keeps
// the journal of `drizzle-kit migrate`, and says why it fails; that one opens no embedded store with pgvector.
import { runOnDatabase } from './lib/runOnDatabase';

runOnDatabase('migrate');
