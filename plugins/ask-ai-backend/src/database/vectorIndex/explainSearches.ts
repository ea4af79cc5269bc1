import { type SQL, sql } from 'drizzle-orm';
import { legSize } from '../../lib/fusion';
import { type Database, selectRows } from '../connection';
import type { RankedSearchSettings } from '../preparedStatements';
import { rankedStatement } from '../rankedStatement';
import { embeddings } from '../schema';
import { filterCondition } from '../searchFilter';
import { exactNearest, nearestFor } from '../searchStatements';
import type { SearchPlan } from './types';

/** Of the searches that are explained. */
const TOP_K = 10;

/** A row to search for, so that the plans are made for values as they occur. */
interface SampleRow extends Record<string, unknown> {
  vector: string;
  entity_id: string;
  entity_kind: string;
  entity_namespace: string;
  source: 'catalog' | 'techdocs';
  content: string;
}

/**
 * How PostgreSQL carries out each shape of search, for the values of a stored row.
 *
 * @returns nothing for an empty store.
 */
export async function explainSearches(
  db: Database,
  settings: RankedSearchSettings,
): Promise<SearchPlan[]> {
  const [row] = await selectRows<SampleRow>(
    db,
    sql`
      select vector::text as vector, entity_id, entity_kind, entity_namespace, source, left(content, 200) as content
      from embeddings limit 1`,
  );
  if (!row) {
    return [];
  }
  const plans: SearchPlan[] = [];
  for (const { shape, expected, statement } of shapes(db, settings, row)) {
    const lines = await selectRows<{ 'QUERY PLAN': string }>(db, sql`explain ${statement}`);
    const plan = lines.map(line => line['QUERY PLAN']);
    const indexes = indexesIn(plan);
    plans.push({
      shape,
      indexes,
      expected,
      usesExpected: expected.some(name => indexes.includes(name)),
      usesVectorIndex: indexes.includes('embeddings_vector_idx'),
      plan,
    });
  }
  return plans;
}

function shapes(db: Database, settings: RankedSearchSettings, row: SampleRow) {
  const query = sql`${row.vector}::vector`;
  const limit = sql.raw(String(TOP_K));
  const hybrid = rankedStatement(db, {
    ...settings,
    mode: 'hybrid',
    query,
    text: sql`${row.content}`,
    legSize: sql.raw(String(legSize(TOP_K))),
    condition: undefined,
  });
  const by = (filter: Parameters<typeof filterCondition>[0]) =>
    nearestFor(db, settings, { query, limit, condition: filterCondition(filter) });
  const byIndex = ['embeddings_vector_idx'];
  const byColumn = (column: string) => [`embeddings_${column}_idx`];
  const shapesOfSearch: { shape: string; expected: string[]; statement: { getSQL(): SQL } }[] = [
    {
      shape: 'nearest',
      expected: byIndex,
      statement: nearestFor(db, settings, { query, limit, condition: undefined }),
    },
    {
      shape: 'nearest in one entity',
      expected: byColumn('entity_id'),
      statement: exactNearest(db, query, limit, sql`${embeddings.entityId} = ${row.entity_id}`),
    },
    {
      shape: 'nearest in some entities',
      expected: [...byColumn('entity_id'), ...byIndex],
      statement: by({ entityIds: [row.entity_id, 'component:default/another'] }),
    },
    {
      shape: 'nearest of a kind',
      expected: [...byIndex, ...byColumn('entity_kind')],
      statement: by({ kinds: [row.entity_kind] }),
    },
    {
      shape: 'nearest in a namespace',
      expected: [...byIndex, ...byColumn('entity_namespace')],
      statement: by({ namespaces: [row.entity_namespace] }),
    },
    {
      shape: 'nearest of a source',
      expected: byIndex,
      statement: by({ sources: [row.source] }),
    },
    { shape: 'hybrid: by meaning', expected: byIndex, statement: hybrid },
    { shape: 'hybrid: by words', expected: byColumn('content_tsv'), statement: hybrid },
  ];
  return shapesOfSearch;
}

/** `Index Scan using x on`, `Bitmap Index Scan on x` */
function indexesIn(plan: string[]): string[] {
  const names = plan.flatMap(line => {
    const match = /Index (?:Only )?Scan (?:Backward )?(?:using|on) "?([^" ]+)"?/.exec(line);
    return match?.[1] ? [match[1]] : [];
  });
  return [...new Set(names)];
}
