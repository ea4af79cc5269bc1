import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { EmbeddingVector, StoredDocument } from 'backstage-plugin-ask-ai-node';
import { clusteredVectors } from '../../../../bench/vectors';
import { query } from '../../../../tests/services/connect';
import { pollUntil } from '../../../../tests/services/poll';
import { PgVectorStore } from '../services/PgVectorStore';
import { type RunningProgram, runFile } from './childProcess';
import { silent } from './loadFixtures';

const SCRIPT = resolve(__dirname, '../../../../scripts/migrate-vectors.ts');

/** On a machine that is busy with other things. */
const DEADLINE_MS = 10 * 60_000;

const SPACE = { provider: 'ollama', model: 'all-minilm', chunkerVersion: 1 };

/** Two databases on a server, and how much is moved from one to the other. */
export interface Move {
  from: string;
  to: string;
  workDirectory: string;
}

/** What a move took. */
export interface MoveFigures {
  seconds: number;
  /** The largest part of the machine's memory that the process held, where the system tells it. */
  megabytes: number | undefined;
  /** Of the processors, by the process and by the server: on a busy machine they wait for their turn. */
  cpuSeconds: { process: number; server: number } | undefined;
}

/** Fills a database with rows, two documents an entity and ten rows an entity. */
export async function fillSource(url: string, rows: number, dimensions: number): Promise<void> {
  const store = await PgVectorStore.create({
    postgresql: { connectionString: url },
    logger: silent,
    dimensions,
  });
  await store.useEmbeddingSpace({ ...SPACE, dimensions });
  await store.replaceAll(embeddingsOf(rows, dimensions), { documents: () => documentsOf(rows) });
  await store.close();
}

function* embeddingsOf(rows: number, dimensions: number): Generator<EmbeddingVector> {
  const vectors = clusteredVectors(dimensions, 1);
  for (let row = 0; row < rows; row++) {
    const id = `chunk-${row}`;
    yield {
      id,
      chunkId: id,
      vector: vectors.next(),
      documentChunk: {
        id,
        entityId: entity(Math.floor(row / 10)),
        entityName: 'Service',
        content: `Chunk ${row} is about word${row % 997} — “quoted”.\n${'And so on. '.repeat(row % 40)}`,
        metadata: {
          source: row % 2 === 0 ? 'catalog' : 'techdocs',
          chunkIndex: Math.floor((row % 10) / 2),
          totalChunks: 5,
          ...(row % 3 === 0 && { title: `Title ${row}` }),
        },
      },
    };
  }
}

function entity(number: number): string {
  return `component:ns${number % 20}/service-${number}`;
}

function* documentsOf(rows: number): Generator<StoredDocument> {
  for (let number = 0; number < rows / 10; number++) {
    for (const source of ['catalog', 'techdocs'] as const) {
      yield { entityId: entity(number), source, fingerprint: `f${number}`, chunkCount: 5 };
    }
  }
}

/** Moves without being disturbed. */
export async function moveOnce(move: Move, ...options: string[]): Promise<MoveFigures> {
  const startedAt = performance.now();
  const program = start(move, options);
  const postmaster = await postmasterPid(move.from);
  const serverBefore = cpuSeconds(postmaster)?.children;
  let kilobytes: number | undefined;
  let used: number | undefined;
  const timer = setInterval(() => {
    kilobytes = peakKilobytes(program.pid) ?? kilobytes;
    used = cpuSeconds(program.pid)?.own ?? used;
  }, 50);
  const { code, stderr } = await program.ended();
  clearInterval(timer);
  if (code !== 0) {
    throw new Error(`The move ended with ${code}: ${stderr}`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const serverAfter = cpuSeconds(postmaster)?.children;
  return {
    seconds,
    megabytes: kilobytes && kilobytes / 1_024,
    cpuSeconds:
      used !== undefined && serverBefore !== undefined && serverAfter !== undefined
        ? { process: used, server: serverAfter - serverBefore }
        : undefined,
  };
}

/** Kills a move while it reads, while it writes and while the index is built; then lets it end. */
export async function moveKilled(move: Move): Promise<{ killedWhile: string[] } & MoveFigures> {
  rmSync(move.workDirectory, { recursive: true, force: true });
  const killedWhile: string[] = [];
  const kill = async (moment: string, isThere: () => Promise<boolean>) => {
    const program = start(move, []);
    const ended = program.ended().then(({ code, stderr }) => {
      throw new Error(
        `The move ended with ${code} before it was killed while ${moment}: ${stderr}`,
      );
    });
    const there = pollUntil(moment, DEADLINE_MS, async () => (await isThere()) || undefined);
    await Promise.race([there, ended]);
    await program.kill();
    // It has ended by now, which is what was wanted.
    await ended.catch(() => {});
    killedWhile.push(moment);
  };
  await kill('reading', async () => hasCheckpoint(move));
  // Also between two batches of rows, when the session has nothing to do.
  await kill('writing', () =>
    isAt(
      move.to,
      `select from pg_stat_activity where datname = current_database() and query ~* '^\\s*copy '`,
    ),
  );
  await kill('building the index', () =>
    isAt(
      move.to,
      `select from pg_stat_progress_create_index where datname = current_database()
         and phase like 'building index%' and command = 'CREATE INDEX'`,
    ),
  );
  return { killedWhile, ...(await moveOnce(move, '--verify')) };
}

/** Whether two databases hold the same, by what PostgreSQL itself makes of every row. */
export async function isEqual({ from, to }: Move): Promise<boolean> {
  const digest = `
    select md5(string_agg(md5(concat_ws('|', id, chunk_id, entity_id, entity_name, vector, content, source,
        chunk_index, total_chunks, title, location, content_hash, vector_hash)), '' order by id)) as rows,
      (select md5(string_agg(concat_ws('|', entity_id, source, fingerprint, chunk_count), '' order by entity_id, source))
        from indexed_documents) as documents,
      (select concat_ws('|', provider, model, dimensions, chunker_version) from embedding_space) as space,
      count(*) as count
    from embeddings`;
  const [source, target] = await Promise.all([from, to].map(url => query(url, digest)));
  return JSON.stringify(source) === JSON.stringify(target);
}

function start({ from, to, workDirectory }: Move, options: string[]): RunningProgram {
  const places = ['--from', from, '--to', to, '--work-dir', workDirectory];
  return runFile(SCRIPT, [...places, ...options], { ASK_AI_DATABASE_URL: undefined });
}

async function isAt(url: string, statement: string): Promise<boolean> {
  return (await query(url, statement)).length > 0;
}

function hasCheckpoint({ workDirectory }: Move): boolean {
  return (
    existsSync(workDirectory) &&
    readdirSync(workDirectory).some(name => name.endsWith('.checkpoint'))
  );
}

async function postmasterPid(url: string): Promise<number> {
  const [row] = await query<{ file: string }>(url, `select pg_read_file('postmaster.pid') as file`);
  return Number(row?.file.split('\n')[0]);
}

/** Linux counts in hundredths of a second; of the children, those that have ended. */
function cpuSeconds(pid: number): { own: number; children: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number);
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields?.slice(11, 15) ?? [];
    return { own: (user + system) / 100, children: (childUser + childSystem) / 100 };
  } catch {
    return undefined;
  }
}

/** Linux tells it. */
function peakKilobytes(pid: number): number | undefined {
  try {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // One that has ended has none.
    return peak === undefined ? undefined : Number(peak);
  } catch {
    return undefined;
  }
}
