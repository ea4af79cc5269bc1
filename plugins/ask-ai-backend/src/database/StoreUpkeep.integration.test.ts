import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../../tests/services/poll';
import { embeddings, ServerStores } from '../testing/serverStores';

const ROWS = 300;
const DIMENSIONS = 3;
const STATISTICS_MS = 30_000;

describe('upkeep of a store', { timeout: 120_000 }, () => {
  let stores: ServerStores;
  const roles: string[] = [];

  beforeEach(async () => {
    stores = await ServerStores.create();
  });

  afterEach(async () => {
    for (const role of roles.splice(0)) {
      await stores.query(`drop owned by ${role}`);
      await stores.query(`drop role ${role}`);
    }
    await stores.close();
  });

  async function fill(): Promise<void> {
    const { store } = await stores.open({ dimensions: DIMENSIONS });
    await store.storeBatch([...embeddings(ROWS, { dimensions: DIMENSIONS })]);
    await store.close();
  }

  /** A role that may do what searches and writes need, and owns nothing. */
  async function createRole(): Promise<string> {
    const role = `ask_ai_test_writer_${randomBytes(6).toString('hex')}`;
    await stores.query(`create role ${role}`);
    roles.push(role);
    const { schema } = await stores.queryOne<{ schema: string }>(
      'select quote_ident(current_schema()) as schema',
    );
    await stores.query(
      `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`,
    );
    return role;
  }

  const vacuums = () =>
    stores.queryOne<{ vacuums: string; dead: string }>(
      `select vacuum_count as vacuums, n_dead_tup as dead
       from pg_stat_user_tables where relname = 'embeddings'`,
    );

  const untilVacuumed = (count: number) =>
    pollUntil(`${count} vacuums`, STATISTICS_MS, async () => {
      const found = await vacuums();
      return Number(found.vacuums) === count && Number(found.dead) === 0 ? true : undefined;
    });

  it('vacuums after everything was removed', async () => {
    await fill();
    const { store, warnings } = await stores.open();
    expect(Number((await vacuums()).vacuums)).toBe(0);
    await store.clear();
    await untilVacuumed(1);
    expect(await store.count()).toBe(0);
    await store.clear();
    await untilVacuumed(2);
    const { pages } = await stores.queryOne<{ pages: string }>(
      `select pg_relation_size('embeddings') as pages`,
    );
    expect(Number(pages)).toBe(0);
    expect(warnings).toEqual([]);
  });

  it('leaves a vacuum to autovacuum while an index is being built', async () => {
    await fill();
    const { store, warnings } = await stores.open();
    const holder = await stores.holdTable();
    const rebuilding = store.index.rebuild({ m: 8 });
    await stores.buildWaits();
    await store.clear();
    expect(await store.count()).toBe(0);
    await holder.release();
    await rebuilding;
    expect(Number((await vacuums()).vacuums)).toBe(0);
    expect(warnings).toEqual([]);
  });

  it('warns once a role that may neither build the index nor vacuum, and works', async () => {
    await fill();
    const role = await createRole();
    const { store, warnings } = await stores.open({ role, index: { m: 8 } });
    await store.storeAll(embeddings(ROWS, { dimensions: DIMENSIONS }));
    await pollUntil('a warning of the index', STATISTICS_MS, () => warnings.length || undefined);
    expect(warnings).toEqual([expect.stringMatching(/searches use what there is.*must be owner/)]);
    expect(await store.search([1, 0, 0], 10)).toHaveLength(10);
    await store.clear();
    await store.clear();
    expect(await store.count()).toBe(0);
    expect(warnings.slice(1)).toEqual([expect.stringMatching(/may not vacuum.*GRANT MAINTAIN/)]);
    expect(Number((await vacuums()).vacuums)).toBe(0);
  });

  it.each([
    ['has the privilege MAINTAIN', (role: string) => `grant maintain on embeddings to ${role}`],
    ['is of pg_maintain', (role: string) => `grant pg_maintain to ${role}`],
  ])('vacuums as a role that %s', async (_, grant) => {
    await fill();
    const role = await createRole();
    await stores.query(grant(role));
    const { store, warnings } = await stores.open({ role });
    await store.clear();
    await untilVacuumed(1);
    expect(warnings).toEqual([]);
  });
});
