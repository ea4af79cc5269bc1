import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { pollUntil } from '../../../../tests/services/poll';
import type { DocumentServer } from './DocumentServer';
import type { TestOllamaServer } from './ollamaServer';

/** What a process that indexes is doing when it is killed. */
export type KillPhase = 'fetching' | 'embedding' | 'writing' | 'removing' | 'swapping';

/** What tells that a process has come to a moment. */
export interface KillSurroundings {
  databaseUrl: string;
  documents: DocumentServer;
  embeddings: TestOllamaServer;
  /** From 0 to below 1; equal seeds give equal moments. */
  random(): number;
  /** Documents that are yet to be written, in the order of the run. */
  pending: readonly string[];
  /** Documents that are yet to be removed. */
  vanished: readonly string[];
}

/** Where a process is to be killed. */
export interface KillMoment {
  name: string;
  /** Resolves when the process is there; never, when it ends before. */
  reached: Promise<void>;
  /** Lets go what kept the process at the moment. Call it after the kill. */
  release(): Promise<void>;
}

/** Documents fetched, or batches embedded, before a kill at the most. */
const MOST_FETCHED = 10;
const MOST_BATCHES = 6;
/** Documents ahead of the one at whose writing a process is killed, at the most. */
const MOST_AHEAD = 8;

/** After the event, so that the kill is not always at the same place of the code. In milliseconds. */
const MOST_DELAY_MS = 8;

const WAIT_MS = 120_000;

const MOMENTS: Record<KillPhase, (surroundings: KillSurroundings) => Promise<KillMoment>> = {
  fetching: async surroundings => {
    const { documents } = surroundings;
    const wanted = upTo(surroundings, MOST_FETCHED);
    let loads = 0;
    const reached = new Promise<void>(resolve => {
      documents.onLoad = async () => {
        loads += 1;
        if (loads >= wanted) {
          // Half of the kills come before the answer.
          resolve(randomDelay(surroundings));
          await randomDelay(surroundings);
        }
      };
    });
    return {
      name: `at the fetch of document ${wanted}`,
      reached,
      release: async () => {
        documents.onLoad = () => {};
      },
    };
  },

  embedding: async surroundings => {
    const wanted = upTo(surroundings, MOST_BATCHES);
    return {
      name: `at the embedding of batch ${wanted}`,
      reached: whenEmbedded(surroundings, wanted),
      release: async () => {},
    };
  },

  writing: surroundings => {
    const { pending, random } = surroundings;
    const entityId = pending[Math.floor(random() * Math.min(pending.length, MOST_AHEAD))] ?? '';
    // Chunks are written and removed before the record is, and the commit comes after it.
    const atTheEnd = random() < 0.5;
    return atTheEnd
      ? holding(surroundings, `before the record of ${entityId} is written`, [
          `insert into indexed_documents (entity_id, source, fingerprint, chunk_count)
           values ('${entityId}', 'techdocs', 'held by the test', 0)
           on conflict (entity_id, source) do update set fingerprint = 'held by the test'`,
        ])
      : holding(surroundings, `before the chunks of ${entityId} are written`, [lockOf(entityId)]);
  },

  removing: surroundings => {
    const { vanished, random } = surroundings;
    const entityId = vanished[Math.floor(random() * vanished.length)] ?? '';
    return holding(surroundings, `before ${entityId} is removed`, [
      `select 1 from indexed_documents where entity_id = '${entityId}' for update`,
    ]);
  },

  // Whoever reads keeps the tables from changing places.
  swapping: surroundings =>
    holding(surroundings, 'before the tables change places', [
      'lock table embeddings in access share mode',
    ]),
};

/** What is indexed by a process that is killed and started again, until it comes to its end. */
export interface Generation {
  kills: readonly KillPhase[];
  /** Of the documents. */
  edition: number;
  /** 0, and 1 after the embedding model was changed. */
  model: number;
}

/** One after the other; what is removed, is so at the end of a run. */
const CYCLE: KillPhase[] = ['writing', 'embedding', 'fetching'];
const REEMBEDDING_CYCLE: KillPhase[] = ['embedding', 'swapping'];

/**
 * Spreads kills over the phases, and over generations: a first index, documents that changed, another
 * model, and again.
 */
export function planKills(count: number, perGeneration: number): Generation[] {
  const generations: Generation[] = [];
  let planned = 0;
  let edition = 0;
  let model = 0;
  while (planned < count) {
    const isModelChange = generations.length % 3 === 2;
    edition += isModelChange ? 0 : 1;
    model = isModelChange ? 1 - model : model;
    const cycle = isModelChange ? REEMBEDDING_CYCLE : CYCLE;
    const kills = Array.from(
      { length: Math.min(perGeneration, count - planned) },
      (_, index) => cycle[(isModelChange ? index : planned + index) % cycle.length] as KillPhase,
    );
    if (!isModelChange && edition > 1) {
      kills[kills.length - 1] = 'removing';
    }
    generations.push({ kills, edition, model });
    planned += kills.length;
  }
  return generations;
}

export function armMoment(phase: KillPhase, surroundings: KillSurroundings): Promise<KillMoment> {
  return MOMENTS[phase](surroundings);
}

async function whenEmbedded(surroundings: KillSurroundings, wanted: number): Promise<void> {
  const { embeddings } = surroundings;
  for (let batches = 0; batches < wanted; ) {
    const { body } = await embeddings.nextRequest();
    // A search, or a question about the model, embeds one text.
    batches += Array.isArray(body?.input) && body.input.length > 1 ? 1 : 0;
  }
  await randomDelay(surroundings);
}

/** Keeps locks that the process needs, so that it is in the middle of a transaction when it is killed. */
async function holding(
  surroundings: KillSurroundings,
  name: string,
  statements: string[],
): Promise<KillMoment> {
  const holder = new Client({ connectionString: surroundings.databaseUrl });
  holder.on('error', () => undefined);
  await holder.connect();
  await holder.query('begin');
  for (const statement of statements) {
    await holder.query(statement);
  }
  let isOver = false;
  const watcher = new Client({ connectionString: surroundings.databaseUrl });
  watcher.on('error', () => undefined);
  await watcher.connect();
  const reached = pollUntil(name, WAIT_MS, async () => {
    if (isOver) {
      return true;
    }
    const { rows } = await watcher.query(
      `select 1 from pg_stat_activity where datname = current_database()
         and application_name = 'ask-ai' and wait_event_type = 'Lock'`,
    );
    return rows.length > 0 || undefined;
  }).then(() => {});
  return {
    name,
    reached,
    release: async () => {
      isOver = true;
      await reached.catch(() => {});
      await holder.query('rollback');
      await Promise.all([holder.end(), watcher.end()]);
    },
  };
}

/** As `lockDocuments` takes it. */
function lockOf(entityId: string): string {
  return `select pg_advisory_xact_lock(hashtextextended('ask-ai techdocs ${entityId}', 0))`;
}

function upTo({ random }: KillSurroundings, most: number): number {
  return 1 + Math.floor(random() * most);
}

function randomDelay({ random }: KillSurroundings): Promise<void> {
  return delay(random() * MOST_DELAY_MS);
}
