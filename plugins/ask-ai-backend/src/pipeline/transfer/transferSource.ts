import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type {
  EmbeddingSpace,
  EmbeddingVector,
  IVectorStore,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { TransferError } from '../../errors';
import { readLines } from '../../lib/readLines';
import { addDigest, digestDocument, digestEmbedding } from './rowDigests';
import { parseLine, type TransferEnd, type TransferLine } from './transferLines';

/** Where embeddings come from. It can be read any number of times. */
export interface TransferSource {
  /** For messages and to tell it from others; no secret. */
  readonly description: string;
  /** What is known before it is read. */
  about(): Promise<SourceFacts>;
  /** The records of the documents; none where they are not known. */
  documents(): AsyncIterable<StoredDocument>;
  /** By id, in the source's own order; after an id, whether or not it is still there. */
  embeddings(options?: { after?: string }): AsyncIterable<EmbeddingVector>;
}

export interface SourceFacts {
  embeddingSpace?: EmbeddingSpace;
  dimensions?: number;
  /** Embeddings, as far as it is known. */
  embeddings?: number;
  documents?: number;
}

export function storeSource(store: IVectorStore, description: string): TransferSource {
  return {
    description,
    about: async () => {
      const { vectorCount } = await store.stats();
      let documents = 0;
      for await (const _ of store.documents()) {
        documents++;
      }
      const embeddingSpace = await store.embeddingSpace();
      return { embeddingSpace, dimensions: store.dimensions, embeddings: vectorCount, documents };
    },
    documents: () => store.documents(),
    embeddings: options => store.export(options),
  };
}

/**
 * A file of an export, compressed or not.
 *
 * @throws TransferError, as it is read, when it is damaged or not whole.
 */
export function fileSource(file: string): TransferSource {
  return linesSource(file, () => fileBytes(file));
}

/** Lines of an export from wherever; `open` is called each time they are read. */
export function linesSource(
  description: string,
  open: () => AsyncIterable<Uint8Array>,
): TransferSource {
  return {
    description,
    about: async () => {
      for await (const line of readTransfer(open())) {
        if (line.kind === 'header') {
          const { embeddingSpace, dimensions, counts } = line;
          return { embeddingSpace: embeddingSpace ?? undefined, dimensions, ...counts };
        }
        return line.kind === 'embedding' ? { dimensions: line.embedding.vector.length } : {};
      }
      return { embeddings: 0 };
    },
    documents: async function* () {
      for await (const line of readTransfer(open())) {
        if (line.kind === 'document') {
          yield line;
        } else if (line.kind === 'embedding') {
          return;
        }
      }
    },
    embeddings: async function* ({ after } = {}) {
      let isAfter = after === undefined;
      for await (const line of readTransfer(open())) {
        if (line.kind === 'embedding') {
          if (isAfter) {
            yield line.embedding;
          }
          isAfter ||= line.embedding.id === after;
        }
      }
      if (!isAfter) {
        throw new TransferError(
          `${description} no longer gives ${after}, after which to go on: begin anew with --restart.`,
        );
      }
    },
  };
}

/**
 * The lines of an export, checked: one that has a header has an end, whose counts and digest are those of
 * what came before it.
 */
export async function* readTransfer(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<TransferLine> {
  const seen: Omit<TransferEnd, 'digest'> & { sum: bigint } = {
    counts: { embeddings: 0, documents: 0 },
    sum: 0n,
  };
  let hasHeader = false;
  let hasEnd = false;
  let number = 0;
  for await (const text of readLines(bytes)) {
    const line = parseLine(text, ++number);
    if (hasEnd) {
      throw new TransferError(`Line ${number} comes after the end of the export.`);
    }
    if (line.kind === 'header') {
      hasHeader = true;
    } else if (line.kind === 'document') {
      seen.counts.documents++;
      seen.sum = addDigest(seen.sum, digestDocument(line));
    } else if (line.kind === 'embedding') {
      seen.counts.embeddings++;
      // Without a header there is nothing to compare it with.
      seen.sum = hasHeader ? addDigest(seen.sum, digestEmbedding(line.embedding)) : seen.sum;
    } else {
      hasEnd = true;
      assertWhole(line, seen.counts, seen.sum);
    }
    yield line;
  }
  if (hasHeader && !hasEnd) {
    throw new TransferError(
      `The export ends after ${seen.counts.embeddings} embeddings, without the line that says it is whole: export again.`,
    );
  }
}

function assertWhole(end: TransferEnd, counts: TransferEnd['counts'], sum: bigint): void {
  const isWhole =
    end.counts?.embeddings === counts.embeddings &&
    end.counts.documents === counts.documents &&
    end.digest === sum.toString(16);
  if (!isWhole) {
    throw new TransferError(
      `The export is damaged: its end tells of ${end.counts?.embeddings} embeddings and ${end.counts?.documents} documents with digest ${end.digest}, ` +
        `but it holds ${counts.embeddings} and ${counts.documents} with ${sum.toString(16)}. Export again.`,
    );
  }
}

/** Bytes read at once. */
const PART_BYTES = 256 * 1024;

async function* fileBytes(file: string): AsyncGenerator<Uint8Array> {
  const isCompressed = await isGzip(file);
  const stream = createReadStream(file, { highWaterMark: PART_BYTES });
  const unpacked = isCompressed ? stream.pipe(createGunzip({ chunkSize: PART_BYTES })) : stream;
  // `pipe` does not pass on the errors of the file.
  stream.on('error', error => unpacked.destroy(error));
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new TransferError(`${file} can't be read: ${(error as Error).message}.`, {
      cause: error,
    });
  } finally {
    stream.destroy();
  }
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file).catch(error => {
    throw new TransferError(`${file} can't be read: ${error.message}.`, { cause: error });
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}
