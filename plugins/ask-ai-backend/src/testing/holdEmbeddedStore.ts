/**
 * A program for tests: opens the embedded store in the folder that its first argument names, stores
 * one embedding, says so, and holds the store until it is killed.
 */
import { openEmbeddedConnection } from '../database/embeddedConnection';
import { PgVectorStore } from '../services/PgVectorStore';

async function main(directory: string): Promise<void> {
  const logger = { debug: () => {}, info: () => {}, warn: () => {} };
  const store = await PgVectorStore.create({
    connection: await openEmbeddedConnection(directory),
    logger,
    dimensions: 3,
  });
  await store.store({
    id: 'held',
    chunkId: 'held',
    vector: [1, 2, 3],
    documentChunk: {
      id: 'held',
      entityId: 'component:default/held',
      entityName: 'Held',
      content: 'Stored before the process was killed.',
      metadata: { source: 'catalog', chunkIndex: 0, totalChunks: 1 },
    },
  });
  process.stdout.write('stored\n');
  setInterval(() => {}, 1_000);
}

main(process.argv[2] ?? '').catch(error => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exitCode = 1;
});
