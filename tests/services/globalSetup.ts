import type { TestProject } from 'vitest/node';
import { dropDatabases, prepareDatabases } from './databases';
import { openTestServer } from './testServer';
import './testDatabase';

/** Gives the integration tests their server, and takes it away after the last of them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await openTestServer();
  try {
    const databases = await prepareDatabases(server.url);
    project.provide('databaseServer', databases);
    return async () => {
      await dropDatabases(databases);
      await server.close();
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
