import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import type { AccessBackend } from './backend';
import {
  DOORS,
  type Door,
  type DoorCall,
  expectedStatus,
  pickDoor,
  readAnswer,
  requestFor,
  type SearchBody,
} from './doors';
import { createRandom } from './random';
import { type MatrixUser, matrixUsers } from './users';

/** What a run of the matrix saw. */
export interface MatrixReport {
  queries: number;
  byDoor: Record<Door, number>;
  /** Answers that were checked hit by hit. */
  hits: number;
  /** Calls that were refused, as they had to be. */
  refused: number;
  /** Searches that brought fewer hits than asked for, because the caller can read no more. */
  exhausted: number;
  /** What a caller saw that it may not read, one line each. */
  outside: string[];
  /** Searches that brought too few hits, and answers with the wrong status, one line each. */
  faults: string[];
}

/** Calls under way at once. */
const PARALLEL = 4;

/**
 * Random calls of every user through every door, each compared with what the catalog itself shows to that
 * user.
 */
export async function runAccessMatrix(
  backend: AccessBackend,
  {
    queries,
    seed,
    entityCount,
    onQuery,
  }: {
    queries: number;
    seed: number;
    entityCount: number;
    onQuery?(done: number): void;
  },
): Promise<MatrixReport> {
  const chunksOf = await chunkCounts(backend);
  const readers = await Promise.all(
    Object.entries(matrixUsers).map(async ([name, user]) => ({
      ...user,
      name,
      readable: await entityIds(backend, name),
      chunksOf,
    })),
  );
  const allIds = await entityIds(backend, undefined);
  const random = createRandom(seed);
  const report: MatrixReport = {
    queries: 0,
    byDoor: Object.fromEntries(DOORS.map(door => [door, 0])) as Record<Door, number>,
    hits: 0,
    refused: 0,
    exhausted: 0,
    outside: [],
    faults: [],
  };
  const next = async (): Promise<void> => {
    while (report.queries < queries) {
      report.queries += 1;
      onQuery?.(report.queries);
      const door = pickDoor(random);
      report.byDoor[door] += 1;
      const reader = random.pick(readers);
      await checkCall({ backend, reader, door, random, report, entityCount, allIds });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, next));
  return report;
}

interface Reader extends MatrixUser {
  name: string;
  readable: Set<string>;
  /** Of all entities. */
  chunksOf: Map<string, number>;
}

interface Call extends DoorCall {
  backend: AccessBackend;
  reader: Reader;
  report: MatrixReport;
}

async function checkCall(call: Call): Promise<void> {
  const { backend, reader, door, report } = call;
  const request = requestFor(call);
  const label = `${reader.name} by ${door}: ${JSON.stringify(request.options.body ?? {})}`;
  const response = await backend
    .fetch(request.path, { user: reader.name, ...request.options })
    .catch(error => {
      throw new Error(`${label}: no answer`, { cause: error });
    });
  const text = await response.text();
  const expected = expectedStatus(reader, door);
  if (response.status !== expected) {
    report.faults.push(
      `${label}: status ${response.status}, expected ${expected}: ${text.slice(0, 200)}`,
    );
  }
  for (const id of hiddenNames(text, call)) {
    report.outside.push(`${label}: shows ${id}`);
  }
  if (response.status !== 200) {
    report.refused += 1;
    return;
  }
  const seen = readAnswer(door, text);
  report.hits += seen.length;
  if (door === 'search' || door === 'search action') {
    await checkFilled(call, request.options.body as SearchBody, seen, label);
  }
}

/** `topK` hits, or as many as the reader may read of what the search is about. */
async function checkFilled(
  { backend, reader, report }: Call,
  body: SearchBody,
  seen: string[],
  label: string,
): Promise<void> {
  const { topK, mode, filter, entityId } = body;
  const among = [...reader.readable].filter(
    id =>
      (entityId === undefined || id === entityId) &&
      (filter?.kinds === undefined || filter.kinds.includes(id.split(':')[0] ?? '')),
  );
  const available =
    mode === 'keyword'
      ? await matches(backend, body.query, among, topK)
      : among.reduce((sum, id) => sum + (reader.chunksOf.get(id) ?? 0), 0);
  const expected = Math.min(topK, available);
  if (seen.length !== expected) {
    report.faults.push(`${label}: ${seen.length} hits, expected ${expected}`);
  }
  report.exhausted += expected < topK ? 1 : 0;
}

/** Hits of a search of words by somebody who may read everything, among these entities. */
async function matches(
  backend: AccessBackend,
  query: string,
  among: string[],
  topK: number,
): Promise<number> {
  const body = { query, topK, mode: 'keyword', filter: { entityIds: among } };
  const response = await backend.fetch('/ask-ai/search', { body });
  const { results } = (await response.json()) as { results: RankedResult[] };
  return results.length;
}

/** Entities of which anything in an answer tells although the reader may not read them. */
function hiddenNames(text: string, { reader, allIds }: Call): string[] {
  const named = text.match(/(?:component|api|resource|system):(?:default|lab)\/entity-\d+/g) ?? [];
  const ids = named.filter(id => !reader.readable.has(id) && allIds.has(id));
  const codenames = text.match(/zq[0-9a-z]{4}x/g) ?? [];
  const readableNumbers = new Set([...reader.readable].map(id => Number(id.split('-').at(-1))));
  const hidden = codenames.filter(
    name => !readableNumbers.has(Number.parseInt(name.slice(2, 6), 36)),
  );
  return [...new Set([...ids, ...hidden])];
}

/** Chunks of every entity, as somebody sees them who may read everything. */
async function chunkCounts(backend: AccessBackend): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const exported = await (await backend.fetch('/ask-ai/index/export')).text();
  for (const line of exported.split('\n').filter(Boolean)) {
    const { entityId } = JSON.parse(line).documentChunk;
    counts.set(entityId, (counts.get(entityId) ?? 0) + 1);
  }
  return counts;
}

/** What the catalog shows to a user, or to a service. */
async function entityIds(backend: AccessBackend, user: string | undefined): Promise<Set<string>> {
  const response = await backend.fetch(
    '/catalog/entities?fields=kind,metadata.namespace,metadata.name',
    { user },
  );
  const entities = (await response.json()) as {
    kind: string;
    metadata: { namespace: string; name: string };
  }[];
  return new Set(
    entities.map(({ kind, metadata }) =>
      `${kind}:${metadata.namespace}/${metadata.name}`.toLowerCase(),
    ),
  );
}
