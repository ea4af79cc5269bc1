import type { ClientBase } from 'pg';

/**
 * The process of the server, as the server, or a pooler before it, told when the connection was made. A
 * pooler tells a number of its own, which is not that of `pg_backend_pid()`: its sessions are shared with
 * others. The driver's types lack it.
 */
export function processIdOf(client: ClientBase): number | null {
  return (client as ClientBase & { processID: number | null }).processID;
}
