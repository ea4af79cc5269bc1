import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { query } from './connect';
import { startPgBouncer } from './pgBouncer';
import { startPostgres } from './postgres';
import { identifyProcess } from './processes';
import { cacheDirectory } from './records';
import { startRedis } from './redis';
import { createTestDatabase, testServerUrl } from './testDatabase';

const closers: Array<() => Promise<void>> = [];

afterEach(async () => {
  for (const close of closers.splice(0)) {
    await close();
  }
});

/** Closes what a test started, whatever becomes of the test. */
function closedAfterwards<T extends { close(): Promise<void> }>(service: T): T {
  closers.push(() => service.close());
  return service;
}

async function databaseFor(options?: Parameters<typeof createTestDatabase>[0]) {
  const database = await createTestDatabase(options);
  closers.push(() => database.drop());
  return database;
}

describe('createTestDatabase', () => {
  it('gives a database with pgvector', async () => {
    const { url } = await databaseFor();
    const [row] = await query<{ distance: number }>(
      url,
      `SELECT '[1,0]'::vector <=> '[0,1]' AS distance`,
    );
    expect(row?.distance).toBe(1);
  });

  it('gives a database without pgvector when asked', async () => {
    const { url } = await databaseFor({ extension: false });
    expect(await query(url, 'SELECT extname FROM pg_extension')).toEqual([{ extname: 'plpgsql' }]);
  });

  it('gives twenty at once, each its own', async () => {
    const databases = await Promise.all(
      Array.from({ length: 20 }, () => databaseFor({ name: 'Many!' })),
    );
    expect(new Set(databases.map(({ url }) => url)).size).toBe(20);
  });

  it('drops a database that still has a connection', async () => {
    const database = await createTestDatabase();
    const sleeping = query(database.url, 'SELECT pg_sleep(60)').catch((error: Error) => error);
    await waitForSleeper(database.url);
    await database.drop();
    expect(await sleeping).toBeInstanceOf(Error);
    expect(
      await query(testServerUrl(), `SELECT 1 FROM pg_database WHERE datname = '${database.name}'`),
    ).toEqual([]);
  });
});

describe('startPostgres', () => {
  it('keeps committed rows over kill and start, on the same address', async () => {
    const server = closedAfterwards(await startPostgres());
    await query(server.url, 'CREATE TABLE t (n int)', 'INSERT INTO t VALUES (1)');
    const { url, pid } = server;
    await server.kill();
    await expect(query(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(server.pid).not.toBe(pid);
    expect(server.url).toBe(url);
    expect(await query(url, 'SELECT n FROM t')).toEqual([{ n: 1 }]);
  });

  it('hangs while paused and answers after', async () => {
    const server = closedAfterwards(await startPostgres({ durable: false }));
    server.pause();
    const isPending = Symbol('pending');
    const answer = query<{ one: number }>(server.url, 'SELECT 1 AS one');
    expect(await acceptsConnection(server.port)).toBe(true);
    expect(await Promise.race([answer, Promise.resolve(isPending)])).toBe(isPending);
    server.resume();
    expect(await answer).toEqual([{ one: 1 }]);
  });

  it.each(['fast', 'immediate'] as const)('stops in %s mode and starts again', async mode => {
    const server = closedAfterwards(await startPostgres({ durable: false }));
    await server.stop(mode);
    expect(() => server.pid).toThrow('not running');
    await server.start();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('takes settings and files', async () => {
    const server = closedAfterwards(
      await startPostgres({ settings: { max_connections: 17, log_statement: 'all' } }),
    );
    await server.writeFile('note', "it's here");
    expect(await query(server.url, `SELECT pg_read_file('note') AS note`)).toEqual([
      { note: "it's here" },
    ]);
    expect(await query(server.url, 'SHOW max_connections')).toEqual([{ max_connections: '17' }]);
    expect(server.readLog()).toContain('SHOW max_connections');
  });

  it('says why a server does not start, and leaves nothing', async () => {
    await expect(startPostgres({ settings: { max_connections: 'many' } })).rejects.toThrow(
      'max_connections',
    );
    expect(ownRecords()).toEqual([]);
  });

  it('leaves no process and no file after close', async () => {
    const server = await startPostgres({ durable: false });
    const { pid } = server;
    const folder = await dataFolder(server.url);
    await server.close();
    expect(identifyProcess(pid)).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
  });
});

describe('startPgBouncer', () => {
  it('pools transactions in front of a server, and reports its loss', async () => {
    const server = closedAfterwards(await startPostgres({ durable: false }));
    const bouncer = closedAfterwards(
      await startPgBouncer({
        poolMode: 'transaction',
        target: server.url,
        settings: { default_pool_size: 2 },
      }),
    );
    const pids = await Promise.all(
      Array.from({ length: 10 }, () =>
        query<{ pid: number }>(bouncer.url, 'SELECT pg_backend_pid() AS pid'),
      ),
    );
    expect(new Set(pids.map(([row]) => row?.pid)).size).toBeLessThanOrEqual(2);
    await bouncer.stop();
    await expect(query(bouncer.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await bouncer.start();
    expect(await query(bouncer.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('startRedis', () => {
  it('answers, and does again after a kill', async () => {
    const redis = closedAfterwards(await startRedis());
    expect(await sendToRedis(redis.port, 'SET a 1')).toBe('+OK');
    await redis.kill();
    await redis.start();
    expect(await sendToRedis(redis.port, 'GET a')).toBe('$-1');
  });
});

async function waitForSleeper(url: string): Promise<void> {
  for (;;) {
    const rows = await query(
      url,
      `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'`,
    );
    if (rows.length > 0) {
      return;
    }
  }
}

/** The kernel completes the handshake for a process that hangs. */
function acceptsConnection(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function sendToRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', answer => {
      socket.destroy();
      resolve(answer.toString().trim());
    });
  });
}

/** Records of this process; other runs on this machine have theirs in the same folder. */
function ownRecords(): string[] {
  const folder = join(cacheDirectory(), 'running');
  return readdirSync(folder).filter(name => ownerPid(join(folder, name)) === process.pid);
}

function ownerPid(file: string): number | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).owner.pid;
  } catch {
    // Removed by the run that it belonged to.
    return undefined;
  }
}

/** Of a server that runs in a small Debian, the path is one inside it. */
async function dataFolder(url: string): Promise<string> {
  const [row] = await query<{ data_directory: string }>(url, 'SHOW data_directory');
  const path = row?.data_directory ?? '';
  const inDebian = readdirSync(cacheDirectory())
    .map(name => join(cacheDirectory(), name, path))
    .find(existsSync);
  return inDebian ?? path;
}
