import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pollUntil } from '../../../../../tests/services/poll';
import type { PgVectorStore } from '../../services/PgVectorStore';
import { openStore } from '../../testing/loadFixtures';
import { embeddings, ServerStores } from '../../testing/serverStores';
import type { PostgresConnectionOptions } from '../poolConfig';

const DIMENSIONS = 16;
const ROWS = 2_000;
const BUILD_MS = 60_000;

const OWNER = `ask_ai_owner_${process.pid}`;
const LOGIN = `ask_ai_login_${process.pid}`;
const READER = `ask_ai_reader_${process.pid}`;

describe('an index that is built', { timeout: 90_000 }, () => {
  let stores: ServerStores;
  let store: PgVectorStore | undefined;
  let holder: Awaited<ReturnType<ServerStores['holdTable']>> | undefined;

  beforeEach(async () => {
    stores = await ServerStores.create();
    await stores.query(`
      create role ${OWNER} login password 'x';
      create role ${LOGIN} login password 'x' noinherit;
      create role ${READER} login password 'x';
      grant ${OWNER} to ${LOGIN};
      do $$ begin execute format('grant create, usage on schema %I to %I', current_schema(), '${OWNER}'); end $$`);
  });

  afterEach(async () => {
    await holder?.release();
    await store?.close();
    await stores.query(`drop owned by ${OWNER}, ${LOGIN}, ${READER} cascade`);
    await stores.query(`drop role ${OWNER}, ${LOGIN}, ${READER}`);
    await stores.close();
  });

  const urlOf = (user: string) => {
    const url = new URL(stores.url);
    url.username = user;
    url.password = 'x';
    return url.href;
  };
  const open = async (postgresql: PostgresConnectionOptions) => {
    store = await openStore('', { postgresql, dimensions: DIMENSIONS });
    return store;
  };
  const endOfBuilds = () =>
    pollUntil('the end of the build', BUILD_MS, async () => {
      const builds = await stores.query('select from pg_stat_progress_create_index');
      return builds.length === 0 || undefined;
    });

  describe('as another role than logs in', () => {
    const options = () => ({ connectionString: urlOf(LOGIN), role: OWNER });

    it('is told of, and can be cancelled', async () => {
      const opened = await open(options());
      await opened.storeAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
      holder = await stores.holdTable();
      const stopping = new AbortController();
      const onProgress = vi.fn();
      const building = opened.index.rebuild({ m: 8 }, { signal: stopping.signal, onProgress });
      const ended = expect(building).rejects.toThrow('stopped by the test');
      await stores.buildWaits();
      const waiting = expect.objectContaining({ phase: 'waiting for writers before build' });
      await vi.waitFor(() => expect(onProgress).toHaveBeenCalledWith(waiting), {
        timeout: BUILD_MS,
      });
      stopping.abort(new Error('stopped by the test'));
      await endOfBuilds();
      await holder.release();
      await ended;
      expect(await stores.vectorIndexes()).toMatchObject([{ name: 'embeddings_vector_idx' }]);
    });

    it('is ended by the next start when nobody waits for it', async () => {
      await (await open(options())).close();
      holder = await stores.holdTable();
      const orphan = new Client({ connectionString: urlOf(LOGIN) });
      orphan.on('error', () => undefined);
      await orphan.connect();
      await orphan.query(`set role ${OWNER}`);
      const ended = expect(
        orphan.query(
          'create index concurrently embeddings_vector_new_idx on embeddings using hnsw (vector vector_cosine_ops)',
        ),
      ).rejects.toMatchObject({ code: '57P01' });
      await stores.buildWaits();
      await open(options());
      await ended;
      await holder.release();
    });
  });

  it('is no missing one to a reader that may not see what others do', async () => {
    const { hostname, port, pathname } = new URL(stores.url);
    const login = (user: string) => ({ user, password: 'x' });
    const opened = await open({
      host: hostname,
      port: Number(port || 5_432),
      database: pathname.slice(1),
      ...login(LOGIN),
      admin: login(OWNER),
      reader: login(READER),
    });
    await opened.storeAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
    await stores.query('drop index embeddings_vector_idx');
    holder = await stores.holdTable();
    const building = opened.index.rebuild({ m: 8 });
    await stores.buildWaits();
    expect(await opened.vectorIndex()).toMatchObject({ state: 'building' });
    await holder.release();
    await building;
    expect(await opened.vectorIndex()).toMatchObject({ state: 'valid', m: 8 });
  });
});
