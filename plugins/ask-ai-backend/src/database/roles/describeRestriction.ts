import type { DatabaseConnection } from '../connection';
import { readLoadObstacle } from '../load/loadObstacle';
import { assertRolesConnect } from './assertRolesConnect';

/**
 * What the store can't do because the table can't be exchanged, and what to do about it; `undefined` when
 * nothing is in the way.
 *
 * @throws VectorStoreUnavailableError that names the role which can't connect.
 */
export async function describeRestriction(
  connection: DatabaseConnection,
): Promise<string | undefined> {
  await assertRolesConnect(connection);
  const obstacle = await readLoadObstacle(connection.admin.db);
  return (
    obstacle &&
    `Rows are written one by one, and the store can't change its index, its language or its embedding model: ${obstacle}.`
  );
}
