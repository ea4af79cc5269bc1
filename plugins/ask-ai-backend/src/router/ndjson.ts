import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { Response } from 'express';
import { startIterating } from '../lib/startIterating';

/** Characters that are written to the client at once. */
const PART_LENGTH = 64 * 1024;

/**
 * Sends embeddings as NDJSON, `vector` as an array of numbers, in parts of about 64 kB.
 *
 * @throws what the first part fails with, so that it is answered with a status.
 */
export async function sendNdjson(
  response: Response,
  embeddings: AsyncIterable<EmbeddingVector>,
): Promise<void> {
  const parts = await startIterating(toParts(embeddings));
  response.type('application/x-ndjson');
  await pipeline(Readable.from(parts, { objectMode: false }), response);
}

async function* toParts(embeddings: AsyncIterable<EmbeddingVector>): AsyncGenerator<string, void> {
  let part = '';
  for await (const { vector, ...embedding } of embeddings) {
    part += `${JSON.stringify({ ...embedding, vector: Array.from(vector) })}\n`;
    if (part.length >= PART_LENGTH) {
      yield part;
      part = '';
    }
  }
  if (part !== '') {
    yield part;
  }
}
