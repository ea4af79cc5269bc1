import { resolve } from 'node:path';
import { Client } from 'pg';
import { query } from '../../../../tests/services/connect';
import { runFile } from './childProcess';
import { DocumentServer, HttpCollector } from './DocumentServer';
import { documentsOf } from './documentGenerations';
import { type IndexDigest, IndexReader, readDigest } from './IndexReader';
import { type IndexedRows, readIndexedRows, withoutVersions } from './indexedRows';
import type { IndexProcessOptions } from './indexProcess';
import { armMoment, type Generation, type KillPhase } from './killMoments';
import { TestOllamaServer } from './ollamaServer';
import { openRuntime, runToItsEnd, TEST_MODEL, TEST_MODEL_DIMENSIONS } from './testRuntime';

const PROGRAM = resolve(__dirname, 'indexProcess.ts');

const MODELS = [TEST_MODEL, `${TEST_MODEL}-next`];

const settingsFor = (model: number) => ({
  embeddingModel: MODELS[model],
  embedding: { onModelChange: 'reembed' },
});

/** What is killed, and how often. */
export interface KillRunsOptions {
  /** Two empty databases: one is indexed without being disturbed, for comparison. */
  databases: { url: string; referenceUrl: string };
  generations: readonly Generation[];
  documents: number;
  /** From 0 to below 1. */
  random(): number;
  onKill?(message: string): void;
}

export interface KillRunsReport {
  kills: number;
  /** Kills that met a run under way. */
  unfinished: number;
  unfinishedByPhase: Partial<Record<KillPhase, number>>;
  looks: number;
  searches: number;
}

/** Everything that an undisturbed run made of each generation. */
interface Reference {
  indexed: IndexedRows[];
  digests: IndexDigest[];
}

/**
 * Indexes generations of documents by processes that are killed and started again, on one database,
 * and reads it all the while.
 *
 * @throws Error when an index is not in the end what an undisturbed run makes, or a reader saw what it
 * must not.
 */
export async function killIndexRuns(options: KillRunsOptions): Promise<KillRunsReport> {
  const documents = await DocumentServer.start();
  const embeddings = await TestOllamaServer.start();
  MODELS.forEach((name, salt) => {
    embeddings.models.set(name, { dimensions: TEST_MODEL_DIMENSIONS, salt: `${salt || ''}` });
  });
  try {
    const reference = await indexUndisturbed(options, documents, embeddings);
    return await new Killing(options, documents, embeddings, reference).run();
  } finally {
    await embeddings.close();
    await documents.close();
  }
}

async function indexUndisturbed(
  { databases: { referenceUrl }, generations, documents: count }: KillRunsOptions,
  documents: DocumentServer,
  embeddings: TestOllamaServer,
): Promise<Reference> {
  const reference: Reference = { indexed: [], digests: [] };
  const client = await connect(referenceUrl);
  try {
    for (const { edition, model } of generations) {
      documents.documents = documentsOf(edition, count);
      const runtime = await openRuntime({
        databaseUrl: referenceUrl,
        embeddingUrl: embeddings.url,
        collectors: [new HttpCollector(documents.url)],
        askAi: settingsFor(model),
      });
      try {
        const { lastRun, failures } = await runToItsEnd(runtime);
        if (lastRun?.outcome !== 'completed' || failures.length > 0) {
          throw new Error(`The undisturbed run ${lastRun?.outcome}: ${lastRun?.reason}`);
        }
      } finally {
        await runtime.close();
      }
      reference.indexed.push(await readIndexedRows(referenceUrl));
      reference.digests.push(await readDigest(client));
    }
  } finally {
    await client.end();
  }
  return reference;
}

class Killing {
  private generation = 0;
  private readonly report: KillRunsReport = {
    kills: 0,
    unfinished: 0,
    unfinishedByPhase: {},
    looks: 0,
    searches: 0,
  };

  constructor(
    private readonly options: KillRunsOptions,
    private readonly documents: DocumentServer,
    private readonly embeddings: TestOllamaServer,
    private readonly reference: Reference,
  ) {}

  async run(): Promise<KillRunsReport> {
    const { url } = this.options.databases;
    // It migrates; none of the processes has to be the first.
    const runtime = await openRuntime({
      databaseUrl: url,
      embeddingUrl: this.embeddings.url,
      collectors: [],
    });
    const client = await connect(url);
    const reader = new IndexReader(client, runtime, this.reference.digests, () => this.generation);
    try {
      for (const [generation, { kills, edition }] of this.options.generations.entries()) {
        this.generation = generation;
        this.documents.documents = documentsOf(edition, this.options.documents);
        for (const phase of kills) {
          await this.kill(phase);
        }
        await this.complete();
      }
      await reader.stop();
    } finally {
      await Promise.allSettled([reader.stop()]);
      await client.end();
      await runtime.close();
    }
    return { ...this.report, looks: reader.looks, searches: reader.searches };
  }

  private async kill(phase: KillPhase): Promise<void> {
    const { databases, random, onKill } = this.options;
    const moment = await armMoment(phase, {
      databaseUrl: databases.url,
      documents: this.documents,
      embeddings: this.embeddings,
      random,
      ...(await this.workLeft()),
    });
    const program = this.start();
    try {
      const ended = program.ended();
      await Promise.race([
        moment.reached,
        ended.then(({ code, stderr }) => {
          if (code !== 0) {
            throw new Error(`A process ended by itself: ${stderr}`);
          }
        }),
      ]);
    } finally {
      await program.kill();
      await moment.release();
    }
    const [running] = await query(
      databases.url,
      `select id from index_runs where state = 'running'`,
    );
    this.report.kills += 1;
    if (running) {
      this.report.unfinished += 1;
      this.report.unfinishedByPhase[phase] = (this.report.unfinishedByPhase[phase] ?? 0) + 1;
    }
    onKill?.(
      `kill ${this.report.kills}, generation ${this.generation + 1}, ${phase}, ${moment.name}: ` +
        `the run was ${running ? 'under way' : 'over'}`,
    );
  }

  /** Lets a process come to its end, and compares. */
  private async complete(): Promise<void> {
    const program = this.start();
    try {
      await program.nextLine();
      const { lastRun, failures } = JSON.parse(await program.nextLine());
      if (lastRun.outcome !== 'completed' || failures.length > 0) {
        throw new Error(`The last run ${lastRun.outcome}: ${lastRun.reason}`);
      }
      const { code, stderr } = await program.ended();
      if (code !== 0) {
        throw new Error(`A process ended by itself: ${stderr}`);
      }
    } finally {
      await program.kill();
    }
    await this.assertEqualsReference();
  }

  private async assertEqualsReference(): Promise<void> {
    const { url } = this.options.databases;
    const unfinished = await query(
      url,
      `select id, state from index_runs where state in ('queued', 'running')`,
    );
    const wanted = this.reference.indexed[this.generation];
    const indexed = await readIndexedRows(url);
    const isEqual =
      wanted !== undefined &&
      JSON.stringify(withoutVersions(indexed)) === JSON.stringify(withoutVersions(wanted));
    if (!isEqual || unfinished.length > 0) {
      throw new Error(
        `Generation ${this.generation + 1} is not what an undisturbed run makes: ` +
          `${indexed.rows.length} chunks of ${indexed.documents.length} documents instead of ` +
          `${wanted?.rows.length} of ${wanted?.documents.length}, and ${unfinished.length} runs unfinished`,
      );
    }
  }

  /** By comparison with the undisturbed index of this generation. */
  private async workLeft(): Promise<{ pending: string[]; vanished: string[] }> {
    const wanted = new Map(
      this.reference.indexed[this.generation]?.documents.map(({ entityId, fingerprint }) => [
        entityId,
        fingerprint,
      ]),
    );
    const { documents } = await readIndexedRows(this.options.databases.url);
    const stored = new Map(documents.map(({ entityId, fingerprint }) => [entityId, fingerprint]));
    return {
      pending: [...this.documents.documents.keys()].filter(
        entityId => stored.get(entityId) !== wanted.get(entityId),
      ),
      vanished: [...stored.keys()].filter(entityId => !wanted.has(entityId)),
    };
  }

  private start() {
    const options: IndexProcessOptions = {
      databaseUrl: this.options.databases.url,
      embeddingUrl: this.embeddings.url,
      documentsUrl: this.documents.url,
      askAi: settingsFor(this.options.generations[this.generation]?.model ?? 0),
    };
    return runFile(PROGRAM, [JSON.stringify(options)]);
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
