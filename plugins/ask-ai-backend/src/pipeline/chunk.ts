import { createHash } from 'node:crypto';
import type { DocumentChunk, DocumentSource } from 'backstage-plugin-ask-ai-common';
import type { DocumentSection } from 'backstage-plugin-ask-ai-node';
import { ConfigurationError } from '../errors';
import { parseBlocks } from '../lib/markdown';
import { cleanMarkdown } from '../lib/markdownNoise';
import { type PackOptions, packAtoms } from './chunking/packAtoms';
import { sanitizeText } from './chunking/sanitize';
import { splitBlock } from './chunking/splitBlock';

/** Raised whenever the same document gives other chunks: every document is chunked anew then. */
export const CHUNKER_VERSION = 2;

/** Smaller chunks could not hold a word with the marks around it. */
export const SMALLEST_CHUNK_SIZE = 16;

/** A document with its content at hand. */
export interface ChunkableDocument {
  entityId: string;
  entityName: string;
  source: DocumentSource;
  sections: DocumentSection[];
}

/** A letter or digit of any script: a text without one says nothing. */
const WORD = /[\p{L}\p{N}]/u;

/**
 * Cuts a document into chunks of at most `chunkSize` tokens, as `estimateTokens` counts them, in the
 * order of its sections. A chunk never spans two sections, so its location is right for all of it; two
 * chunks of a section overlap by at most `chunkOverlap` tokens. Code blocks and tables are whole where
 * they fit. Sections without a word have no chunk: their headings are in the paths of those below.
 *
 * The id of a chunk depends on what is embedded for it alone, so that what did not change keeps its id,
 * wherever it moved in the document. Of equal chunks the first stays.
 *
 * @throws ConfigurationError when the sizes can't be used.
 */
export function chunkDocument(document: ChunkableDocument, options: PackOptions): DocumentChunk[] {
  assertUsable(options);
  const chunks = new Map<
    string,
    Omit<DocumentChunk, 'metadata'> & { title: string; location: string }
  >();
  const entityName = sanitizeText(document.entityName);
  for (const { headingPath, text, location } of document.sections) {
    const title = sanitizeText(headingPath.join(' › '));
    for (const content of chunkText(text, options)) {
      const id = chunkId(document, { entityName, title, content });
      if (!chunks.has(id)) {
        const { entityId } = document;
        chunks.set(id, {
          id,
          entityId,
          entityName,
          content,
          title,
          location: sanitizeText(location),
        });
      }
    }
  }
  return [...chunks.values()].map(({ title, location, ...chunk }, chunkIndex) => ({
    ...chunk,
    metadata: {
      source: document.source,
      chunkIndex,
      totalChunks: chunks.size,
      title: title === '' ? undefined : title,
      location,
    },
  }));
}

/** What is embedded for a chunk: the first line says what it is about. */
export function embeddingText({ entityName, content, metadata }: DocumentChunk): string {
  return `${[entityName, metadata.title].filter(Boolean).join(' › ')}\n${content}`;
}

function chunkText(text: string, options: PackOptions): string[] {
  const blocks = parseBlocks(cleanMarkdown(sanitizeText(text)));
  const atoms = blocks.flatMap(block => splitBlock(block, options.chunkSize));
  return packAtoms(atoms, options).filter(content => WORD.test(content));
}

function chunkId(
  { entityId, source }: ChunkableDocument,
  embedded: { entityName: string; title: string; content: string },
): string {
  const { entityName, title, content } = embedded;
  const hash = createHash('sha256').update([entityName, title, content].join('\0')).digest('hex');
  return `${entityId}/${source}/${hash.slice(0, 16)}`;
}

function assertUsable({ chunkSize, chunkOverlap }: PackOptions): void {
  const problems: string[] = [];
  if (!Number.isInteger(chunkSize) || chunkSize < SMALLEST_CHUNK_SIZE) {
    problems.push(
      `Expected askAi.chunkSize to be an integer of at least ${SMALLEST_CHUNK_SIZE}, got ${chunkSize}`,
    );
  }
  if (!Number.isInteger(chunkOverlap) || chunkOverlap < 0 || chunkOverlap >= chunkSize) {
    problems.push(
      `Expected askAi.chunkOverlap to be an integer from 0 to less than askAi.chunkSize, which is ${chunkSize}, got ${chunkOverlap}`,
    );
  }
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
}
