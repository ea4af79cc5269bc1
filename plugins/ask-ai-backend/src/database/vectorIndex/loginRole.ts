import { sql } from 'drizzle-orm';
import type { Database } from '../connection';

/**
 * Gives up the role that the sessions work as (`backend.database.role`) until the transaction ends: to
 * PostgreSQL a session belongs to who logged in, and only who has that role's rights may cancel what the
 * session does and see how far it is.
 */
export async function returnToLoginRole(transaction: Database): Promise<void> {
  await transaction.execute(sql`set local role none`);
}
