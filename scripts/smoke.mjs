// Does what a new user does: starts the backend with an empty index, asks a question, stops it, and
// starts it again. Uses a free port and a temporary store, so it may run beside `npm start`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, DevBackend } from './lib/DevBackend.mjs';
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { fail, say } from './lib/say.mjs';

/** catalog-info.yaml: this project in its own sample catalog. */
const OWN_ENTITY = { id: 'component:default/ask-ai', docs: '/docs/default/component/ask-ai/' };
const QUESTION = 'How do I roll back a migration?';

const directory = mkdtempSync(join(tmpdir(), 'ask-ai-smoke-'));
const backend = await DevBackend.create(directory);
try {
  await ensureInstalled();
  backend.configure({ vectorStore: { embedded: { directory: join(directory, 'store') } } });

  start();
  const first = await backend.waitForRun(undefined);
  check(first.vectorCount > 0, `the index is empty after the first run: ${JSON.stringify(first)}`);
  say(`first run: ${first.vectorCount} chunks of ${first.entityCount} entities`);
  checkAnswer(backend.ask(QUESTION));
  await backend.stop();

  const startedAt = Date.now();
  start();
  await backend.waitForHealth();
  // Told, not checked: how long it takes depends on what else the machine does.
  say(`second start: healthy after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  const second = await backend.waitForRun(first.lastRun.id);
  const { embedded } = second.lastRun.chunks;
  check(embedded === 0, `the second run embedded ${embedded} chunks again, expected 0`);
  check(
    second.vectorCount === first.vectorCount,
    `${second.vectorCount} chunks after the second run, ${first.vectorCount} before`,
  );
  await backend.stop();
  say('smoke test passed');
} catch (error) {
  fail(`smoke test failed: ${error.message}`);
} finally {
  await backend.close();
  rmSync(directory, { recursive: true, force: true });
}

function start() {
  say('--- npm start');
  backend.start();
}

function checkAnswer({ answer, found, sources }) {
  check(found, `"${QUESTION}" is not answered: ${answer}`);
  const own = sources.find(
    ({ documentChunk }) =>
      documentChunk.entityId === OWN_ENTITY.id &&
      documentChunk.metadata.location?.startsWith(OWN_ENTITY.docs),
  );
  check(own, `no source in ${OWN_ENTITY.docs}: ${JSON.stringify(sources)}`);
  say(`answered from ${own.documentChunk.metadata.location}`);
}
