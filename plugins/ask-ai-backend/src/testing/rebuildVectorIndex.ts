/**
 * A program for tests: rebuilds the vector index of the database that its first argument names, and says
 * so when that is done. It is killed before.
 */
import { PgVectorStore } from '../services/PgVectorStore';

async function main(connectionString: string): Promise<void> {
  const store = await PgVectorStore.create({
    postgresql: { connectionString },
    migrate: false,
    logger: { debug: () => {}, info: () => {}, warn: () => {} },
  });
  await store.index.rebuild({ m: 8 });
  process.stdout.write('rebuilt\n');
  await store.close();
}

main(process.argv[2] ?? '').catch(error => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exitCode = 1;
});
