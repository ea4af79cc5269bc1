import type { DocumentChunk, SearchFilter } from 'backstage-plugin-ask-ai-common';
import type {
  DocumentReplacement,
  EmbeddingVector,
  RankedQuery,
  StoredDocument,
} from 'backstage-plugin-ask-ai-node';
import { DimensionMismatchError, InvalidVectorError } from '../errors';

/**
 * Bytes of an id in UTF-8. PostgreSQL refuses B-tree entries above 2,704 bytes ("Index row size
 * exceeds maximum"); this leaves room for two such columns in one index.
 */
const MAX_ID_BYTES = 1_024;

/**
 * Characters of a title, a location or a name: far beyond any heading, and three such texts of
 * distinct words still fit into the 1 MB that a tsvector may have.
 */
const MAX_LABEL_LENGTH = 32_768;

/** What PostgreSQL's `integer` holds. */
const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Euclidean lengths that a vector may have. pgvector adds up squares and products as float4, whose
 * normal range is 1e-38 to 3e38: beyond these lengths a cosine distance is NaN or of no accuracy.
 */
const MIN_LENGTH = 1e-15;
const MAX_LENGTH = 1e15;
const MIN_SQUARES = MIN_LENGTH ** 2;
const MAX_SQUARES = MAX_LENGTH ** 2;

const SOURCES: ReadonlySet<string> = new Set(['catalog', 'techdocs']);
const UNPAIRED_SURROGATE = /\p{Surrogate}/u;

/** Decoders drop it at the start of a text, PGlite's among them. */
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Refuses what no store may hold. Every store calls it before it writes anything.
 *
 * @param firstIndex - how many came before these in the stream that they are a batch of.
 * @throws InvalidVectorError or DimensionMismatchError, with the position of the first bad one.
 */
export function validateEmbeddings(
  embeddings: readonly EmbeddingVector[],
  dimensions: number,
  firstIndex = 0,
): void {
  for (let i = 0; i < embeddings.length; i++) {
    const embedding = embeddings[i];
    const index = firstIndex + i;
    const problem = embedding ? embeddingProblem(embedding) : 'must be an object.';
    if (problem !== undefined) {
      throw new InvalidVectorError(problem, index);
    }
    validateVector((embedding as EmbeddingVector).vector, dimensions, index);
  }
}

/** @throws InvalidVectorError or DimensionMismatchError when nothing can be compared with it. */
export function validateQueryVector(vector: ArrayLike<number>, dimensions: number): void {
  validateVector(vector, dimensions);
}

/** @throws InvalidVectorError or DimensionMismatchError when the vector is missing or can't be used. */
export function validateRankedQuery({ mode, vector }: RankedQuery, dimensions: number): void {
  if (vector !== undefined) {
    validateVector(vector, dimensions);
  } else if (mode !== 'keyword') {
    throw new InvalidVectorError(
      `A search in mode ${mode} needs the vector of the question: embed it, or search in mode keyword.`,
    );
  }
}

/**
 * Refuses a replacement of which a part could not be stored, or belongs to another document.
 *
 * @throws InvalidVectorError or DimensionMismatchError; the index is that in `embedded`.
 */
export function validateReplacement(replacement: DocumentReplacement, dimensions: number): void {
  const { embedded, kept } = replacement;
  validateRecord({ ...replacement, chunkCount: 0 });
  validateEmbeddings(embedded, dimensions);
  embedded.forEach(({ documentChunk }, index) => {
    assertPartOf(replacement, documentChunk, index);
  });
  for (const chunk of kept) {
    const keptProblem = chunkProblem(chunk);
    if (keptProblem !== undefined) {
      throw new InvalidVectorError(`Kept chunk: ${keptProblem}`);
    }
    assertPartOf(replacement, chunk);
  }
}

/** @throws InvalidVectorError when the record of a document could not be stored. */
export function validateRecord({ entityId, source, ...record }: StoredDocument): void {
  const problem = idProblem('entityId', entityId) ?? sourceProblem(source);
  if (problem !== undefined) {
    throw new InvalidVectorError(`Document: ${problem}`);
  }
  const recordProblem =
    textProblem('fingerprint', record.fingerprint) ??
    integerProblem('chunkCount', record.chunkCount);
  if (recordProblem !== undefined) {
    throw new InvalidVectorError(`Document ${entityId}: ${recordProblem}`);
  }
}

function assertPartOf(
  { entityId, source }: DocumentReplacement,
  chunk: DocumentChunk,
  index?: number,
): void {
  if (chunk.entityId !== entityId || chunk.metadata.source !== source) {
    throw new InvalidVectorError(
      `chunk ${chunk.id} belongs to the ${chunk.metadata.source} document of ${chunk.entityId}, ` +
        `not to the ${source} document of ${entityId}: replace each document with its own chunks.`,
      index,
    );
  }
}

function embeddingProblem({ id, chunkId, documentChunk }: EmbeddingVector): string | undefined {
  const problem = idProblem('id', id) ?? idProblem('chunkId', chunkId);
  if (problem !== undefined) {
    return problem;
  }
  if (!documentChunk) {
    return 'documentChunk is missing.';
  }
  if (documentChunk.id !== chunkId) {
    return 'documentChunk.id must be equal to chunkId.';
  }
  return chunkProblem(documentChunk);
}

function chunkProblem({ id, entityId, entityName, content, metadata }: DocumentChunk) {
  if (!metadata) {
    return 'metadata is missing.';
  }
  const { source, chunkIndex, totalChunks, title, location } = metadata;
  return (
    idProblem('documentChunk.id', id) ??
    idProblem('entityId', entityId) ??
    labelProblem('entityName', entityName) ??
    textProblem('content', content) ??
    sourceProblem(source) ??
    integerProblem('chunkIndex', chunkIndex) ??
    integerProblem('totalChunks', totalChunks) ??
    (title === undefined ? undefined : labelProblem('title', title)) ??
    (location === undefined ? undefined : labelProblem('location', location))
  );
}

function idProblem(field: string, value: string): string | undefined {
  if (value === '') {
    return `${field} must not be empty.`;
  }
  const problem = textProblem(field, value);
  if (problem !== undefined) {
    return problem;
  }
  // No UTF-16 unit takes more than three bytes: short ids need not be counted.
  if (value.length * 3 > MAX_ID_BYTES && Buffer.byteLength(value) > MAX_ID_BYTES) {
    return `${field} has ${Buffer.byteLength(value)} bytes, at most ${MAX_ID_BYTES} can be indexed: shorten it, for example to a hash.`;
  }
  return undefined;
}

function labelProblem(field: string, value: string): string | undefined {
  const problem = textProblem(field, value);
  if (problem === undefined && value.length > MAX_LABEL_LENGTH) {
    return `${field} has ${value.length} characters, at most ${MAX_LABEL_LENGTH} are stored: shorten it.`;
  }
  return problem;
}

function textProblem(field: string, value: string): string | undefined {
  if (typeof value !== 'string') {
    return `${field} must be a string, got ${value === null ? 'null' : typeof value}.`;
  }
  if (value.includes('\0')) {
    return `${field} holds a NUL character, which PostgreSQL can't store: remove it.`;
  }
  if (UNPAIRED_SURROGATE.test(value)) {
    return `${field} holds an unpaired surrogate, which has no form in UTF-8: remove it, or decode the text anew.`;
  }
  if (value.startsWith(BYTE_ORDER_MARK)) {
    return `${field} begins with a byte order mark, which a reader of the store may not get back: remove it.`;
  }
  return undefined;
}

function sourceProblem(source: string): string | undefined {
  return SOURCES.has(source) ? undefined : `source must be one of ${[...SOURCES].join(', ')}.`;
}

function integerProblem(field: string, value: number): string | undefined {
  const isValid = Number.isInteger(value) && value >= 0 && value <= MAX_INTEGER;
  return isValid ? undefined : `${field} must be an integer from 0 to ${MAX_INTEGER}.`;
}

function validateVector(vector: ArrayLike<number>, dimensions: number, index?: number): void {
  if (typeof vector !== 'object' || vector === null || !Number.isInteger(vector.length)) {
    throw new InvalidVectorError('vector must be an array of numbers.', index);
  }
  if (vector.length !== dimensions) {
    throw new DimensionMismatchError(dimensions, vector.length, 'caller', index);
  }
  // Also false for NaN. JSON turns NaN into null, which would count as 0: hence the type.
  let squares = 0;
  for (let i = 0; i < dimensions; i++) {
    const element = vector[i];
    squares += typeof element === 'number' ? element * element : Number.NaN;
  }
  if (!(squares >= MIN_SQUARES && squares <= MAX_SQUARES)) {
    throw new InvalidVectorError(vectorProblem(vector), index);
  }
}

function vectorProblem(vector: ArrayLike<number>): string {
  for (let i = 0; i < vector.length; i++) {
    const element: unknown = vector[i];
    if (typeof element !== 'number') {
      return `vector must hold numbers only, element ${i} is of type ${element === null ? 'null' : typeof element}: embed the text again.`;
    }
    if (!Number.isFinite(Math.fround(element))) {
      return `vector must hold finite float32 numbers, element ${i} is not one (NaN, Infinity or too large): embed the text again.`;
    }
  }
  const isZero = Array.from(vector).every(element => Math.fround(element) === 0);
  return isZero
    ? 'vector is zero (as float32), so it has no direction to compare: embed a text that is not empty.'
    : `vector has a length outside ${MIN_LENGTH} to ${MAX_LENGTH}, which float32 arithmetic can't compare: normalise it to length 1.`;
}

/**
 * Whether the stores hold a text: no NUL character, no unpaired surrogate, no byte order mark at its
 * start. No row can have another, so a search for one finds nothing and must not reach the database.
 */
export function isStorable(text: string): boolean {
  return (
    !text.includes('\0') && !UNPAIRED_SURROGATE.test(text) && !text.startsWith(BYTE_ORDER_MARK)
  );
}

/** A question as it was typed, with a space for each character that no stored text can have. */
export function toStorable(text: string): string {
  return isStorable(text) ? text : text.replaceAll('\0', ' ').replace(/\p{Surrogate}/gu, ' ');
}

/**
 * A filter as the stores compare it: a string becomes one entity id, kinds and namespaces are in
 * lower case, no value is there twice, and values that no row can have are gone. Entity ids are
 * compared as they are stored. What was not given stays absent; an empty list matches nothing.
 */
export function normaliseFilter(filter: string | SearchFilter | undefined): SearchFilter {
  const { entityIds, kinds, namespaces, sources, minSimilarity }: SearchFilter =
    typeof filter === 'string' ? { entityIds: [filter] } : (filter ?? {});
  return {
    ...(entityIds && { entityIds: distinct(entityIds) }),
    ...(kinds && { kinds: distinct(kinds.map(kind => kind.toLowerCase())) }),
    ...(namespaces && { namespaces: distinct(namespaces.map(name => name.toLowerCase())) }),
    ...(sources && { sources: distinct(sources) }),
    ...(minSimilarity !== undefined && { minSimilarity }),
  };
}

function distinct<T extends string>(values: readonly T[]): T[] {
  return [...new Set(values)].filter(isStorable);
}

/**
 * What the filter's `kinds` are compared with: the text before the first `:`, in lower case, or ''
 * without a `:`. In SQL: `lower(split_part(entity_id, ':', 1))` where `position(':' in entity_id) > 0`.
 */
export function entityKind(entityId: string): string {
  const colon = entityId.indexOf(':');
  return colon < 0 ? '' : entityId.slice(0, colon).toLowerCase();
}

/**
 * What the filter's `namespaces` are compared with, in lower case: the text after the first `:` up
 * to the next `:` or `/`, or '' unless a `/` comes somewhere after a `:`. In SQL:
 * `lower(split_part(split_part(entity_id, ':', 2), '/', 1))` where `entity_id like '%:%/%'`.
 */
export function entityNamespace(entityId: string): string {
  const colon = entityId.indexOf(':');
  if (colon < 0 || !entityId.includes('/', colon)) {
    return '';
  }
  return (entityId.slice(colon + 1).split(/[:/]/, 1)[0] ?? '').toLowerCase();
}
