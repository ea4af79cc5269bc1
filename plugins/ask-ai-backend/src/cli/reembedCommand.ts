import { describeSpace, isSameSpace } from '../lib/embeddingSpace';
import { BuildProgressLine } from './buildProgressLine';
import { EXIT_CODES } from './exitCodes';
import { asJson } from './formatUnits';
import type { StoreContext } from './indexCommands';

/** Embeds what is stored by the configured model. @returns the exit code. */
export async function reembedCommand({
  store: { reembedding },
  terminal,
  json,
  signal,
}: StoreContext): Promise<number> {
  const [space, stored] = await terminal.whileWaiting(
    'Asking the model and the database',
    Promise.all([reembedding.configured(), reembedding.stored()]),
  );
  if (stored && isSameSpace(stored, space)) {
    terminal.print(
      json
        ? asJson({ space, embedded: 0, removed: [] })
        : `The index is of ${describeSpace(space)} already.`,
    );
    return EXIT_CODES.success;
  }
  const line = BuildProgressLine.create(terminal);
  const result = await reembedding
    .run(space, {
      signal,
      onProgress: ({ phase, chunksDone, chunksTotal, indexed }) =>
        line.show(
          phase === 'embedding'
            ? {
                phase: `embedding (${chunksDone.toLocaleString('en')} of ${chunksTotal.toLocaleString('en')} chunks)`,
                share: chunksTotal === 0 ? 1 : chunksDone / chunksTotal,
              }
            : { phase: 'building the index', share: indexed },
        ),
    })
    .finally(() => line.end());
  terminal.print(
    json
      ? asJson({ space, ...result })
      : `The index is of ${describeSpace(space)} now: ${result.embedded.toLocaleString('en')} chunks were embedded. ` +
          'Backends that are still configured for the old model follow; restart them with the new configuration.',
  );
  if (result.removed.length > 0) {
    const documents = result.removed.map(({ entityId, source }) => `${entityId} (${source})`);
    terminal.note(
      terminal.style(
        'yellow',
        `Not embedded, and taken up again by the next index run: ${documents.join(', ')}. The reasons are in "ask-ai status".`,
      ),
    );
    return EXIT_CODES.failure;
  }
  return EXIT_CODES.success;
}

/** Removes what an interrupted run left. @returns the exit code. */
export async function discardCommand({
  store: { reembedding },
  terminal,
  json,
}: StoreContext): Promise<number> {
  const space = await reembedding.discard();
  const text = space
    ? `Removed what was embedded by ${describeSpace(space)}.`
    : 'Nothing was left of a run that was interrupted.';
  terminal.print(json ? asJson({ discarded: space ?? null }) : text);
  return EXIT_CODES.success;
}
