import type { TestProject } from 'vitest/node';
import { type DatabaseServer, dropDatabases, prepareDatabases } from './databases';
import { openTestServer, type TestServer } from './testServer';
import './testDatabase';

/** Gives the integration tests their server, and takes it away after the last of them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, databases } = await open().catch(explainAndExit);
  project.provide('databaseServer', databases);
  return async () => {
    await dropDatabases(databases);
    await server.close();
  };
}

/** Names a schema for the tables of all tests, which must not care where they lie. */
const SCHEMA_VARIABLE = 'ASK_AI_TEST_SCHEMA';

async function open(): Promise<{ server: TestServer; databases: DatabaseServer }> {
  const server = await openTestServer();
  try {
    const databases = await prepareDatabases(server.url);
    return { server, databases: { ...databases, schema: process.env[SCHEMA_VARIABLE] } };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** vitest would print "No test files found" above the reason, and a stack trace below it. */
function explainAndExit(error: unknown): never {
  const isExpected = error instanceof Error && error.constructor === Error;
  process.stderr.write(`\n${isExpected ? error.message : String((error as Error).stack)}\n\n`);
  process.exit(1);
}
