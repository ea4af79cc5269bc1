import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { query } from '../services/connect';
import { findOnPath } from '../services/findOnPath';
import { commandFor, findPrograms } from '../services/programs';
import { testServerUrl } from '../services/testDatabase';

const SCRIPT = resolve(__dirname, '../../scripts/init-db.sh');

/** How a run of scripts/init-db.sh ended. */
export interface InitDbResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs scripts/init-db.sh on the server of the tests.
 *
 * @param variables - instead of those of this process, but for PATH.
 * @param serverUrl - whom it connects as.
 * @param hasNode - whether it finds Node.
 */
export async function runInitDb(
  variables: Record<string, string>,
  { serverUrl = testServerUrl(), hasNode = true } = {},
): Promise<InitDbResult> {
  const server = new URL(serverUrl);
  const { PATH } = process.env;
  const bash = pathOf('bash');
  const programs = mkdtempSync(join(tmpdir(), 'ask-ai-psql-'));
  try {
    await linkPsql(programs);
    symlinkSync(pathOf('dirname'), join(programs, 'dirname'));
    return await new Promise<InitDbResult>(ended => {
      const env = {
        PATH: hasNode ? [programs, dirname(process.execPath), PATH].join(delimiter) : programs,
        PGHOST: server.hostname,
        PGPORT: server.port || '5432',
        PGUSER: decodeURIComponent(server.username),
        PGPASSWORD: decodeURIComponent(server.password),
        ...variables,
      };
      execFile(bash, [SCRIPT], { env, cwd: tmpdir() }, (error, stdout, stderr) =>
        ended({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  } finally {
    rmSync(programs, { recursive: true });
  }
}

function pathOf(program: string): string {
  const path = findOnPath(program);
  if (!path) {
    throw new Error(`This machine has no ${program}.`);
  }
  return path;
}

/** Where this machine has no psql, that of the server's programs. */
async function linkPsql(folder: string): Promise<void> {
  const installed = findOnPath('psql');
  const { file, args } = installed
    ? { file: installed, args: [] }
    : commandFor(await findPrograms('postgresql'), 'psql', [], 'KILL');
  const words = [file, ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`);
  const script = join(folder, 'psql');
  writeFileSync(script, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(script, 0o755);
}

/** A URL of the server of the tests for a role and a database. */
export function urlFor(database: string, user?: string, password = ''): string {
  const url = new URL(testServerUrl());
  // Without encodeURIComponent: node-postgres decodes what URL encodes, and no more.
  url.pathname = database;
  if (user !== undefined) {
    url.username = encodeURIComponent(user);
    url.password = encodeURIComponent(password);
  }
  return url.href;
}

/** Removes databases and roles, which the server has for all. */
export async function removeAll(databases: string[], roles: string[]): Promise<void> {
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  await query(
    testServerUrl(),
    ...databases.map(name => `drop database if exists ${quoted(name)} with (force)`),
    ...roles.map(name => `drop role if exists ${quoted(name)}`),
  );
}
