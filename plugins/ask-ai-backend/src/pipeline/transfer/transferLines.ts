import type { EmbeddingSpace, EmbeddingVector, StoredDocument } from 'backstage-plugin-ask-ai-node';
import { TransferError } from '../../errors';
import { decodeVectorBase64, encodeVectorBase64 } from '../../lib/base64Vector';

/**
 * A file of what a store holds is NDJSON: a header, the records of the documents, the embeddings by id,
 * and an end, without which the file is not whole. The records come first, because they may be older than
 * the chunks, which costs a look at the document, but never newer. Lines of `GET /index/export` have no
 * kind; they are embeddings.
 */
export type TransferLine =
  | ({ kind: 'header' } & TransferHeader)
  | ({ kind: 'document' } & StoredDocument)
  | { kind: 'embedding'; embedding: EmbeddingVector }
  | ({ kind: 'end' } & TransferEnd);

/** The version that this code writes, and the newest that it reads. */
export const FORMAT_VERSION = 1;

export interface TransferHeader {
  version: number;
  /** ISO 8601. */
  exportedAt: string;
  /** `null` when the store was never claimed for one. */
  embeddingSpace: EmbeddingSpace | null;
  /** Numbers in every vector. */
  dimensions: number;
  /** When the export began; the end has those of the file. */
  counts: TransferCounts;
}

export interface TransferCounts {
  embeddings: number;
  documents: number;
}

export interface TransferEnd {
  counts: TransferCounts;
  /** Of all embeddings and documents, in whatever order: see `RowDigests`. */
  digest: string;
}

const FORMAT = 'ask-ai-export';

export function headerLine(header: TransferHeader): string {
  return line({ kind: 'header', format: FORMAT, ...header });
}

export function documentLine({
  entityId,
  source,
  fingerprint,
  chunkCount,
}: StoredDocument): string {
  return line({ kind: 'document', entityId, source, fingerprint, chunkCount });
}

/** The vector is base64 of little-endian float32; an array of numbers is read as well. */
export function embeddingLine({ id, chunkId, vector, documentChunk }: EmbeddingVector): string {
  const base64 = encodeVectorBase64(vector);
  return line({ kind: 'embedding', id, chunkId, vector: base64, documentChunk });
}

export function endLine(end: TransferEnd): string {
  return line({ kind: 'end', ...end });
}

/**
 * @param number - of the line, from 1, for messages.
 * @throws TransferError when it is no line of an export.
 */
export function parseLine(text: Buffer, number: number): TransferLine {
  const value = parseJson(text, number);
  switch (value.kind) {
    case 'header':
      return parseHeader(value, number);
    case 'document':
    case 'end':
      return value as unknown as TransferLine;
    case 'embedding':
    case undefined:
      return { kind: 'embedding', embedding: parseEmbedding(value, number) };
    default:
      throw wrong(number, 'a header, document, embedding or end', value.kind);
  }
}

function parseHeader(value: Record<string, unknown>, number: number): TransferLine {
  if (value.format !== FORMAT || typeof value.version !== 'number') {
    throw wrong(number, `a header of the format ${FORMAT}`, value.format);
  }
  if (value.version > FORMAT_VERSION) {
    throw new TransferError(
      `The export was written by a newer version of ask-ai (format ${value.version}); this one reads up to ${FORMAT_VERSION}. Import it with that version.`,
    );
  }
  return value as unknown as TransferLine;
}

/** What is wrong with the values is found by the store's own checks. */
function parseEmbedding(value: Record<string, unknown>, number: number): EmbeddingVector {
  const { id, chunkId, vector, documentChunk } = value;
  const numbers = typeof vector === 'string' ? decodeVectorBase64(vector) : vector;
  const isVector = Array.isArray(numbers) || numbers instanceof Float32Array;
  const { metadata } = (documentChunk ?? {}) as { metadata?: unknown };
  if (typeof id !== 'string' || !isVector || typeof (metadata ?? undefined) !== 'object') {
    throw wrong(number, 'an embedding with id, vector and documentChunk', Object.keys(value));
  }
  return { id, chunkId, vector: numbers, documentChunk } as EmbeddingVector;
}

function parseJson(text: Buffer, number: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch {
    throw new TransferError(
      `Line ${number} is no JSON: the export is damaged, or this is another kind of file.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(number, 'an object', typeof value);
  }
  return value as Record<string, unknown>;
}

function wrong(number: number, expected: string, got: unknown): TransferError {
  return new TransferError(
    `Line ${number}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 100)}.`,
  );
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
