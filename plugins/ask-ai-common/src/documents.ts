/** Where a document comes from. */
export type DocumentSource = 'catalog' | 'techdocs';

/**
 * A piece of a document, small enough to be embedded as a whole.
 */
export interface DocumentChunk {
  /** Unique in the store. Equal to `EmbeddingVector.chunkId`. */
  id: string;
  /** The entity reference in its normal form: `component:default/petstore`. */
  entityId: string;
  /** What a person calls the entity: its title, else its name. */
  entityName: string;
  /** The text, as it is shown and searched. */
  content: string;
  metadata: {
    source: DocumentSource;
    /** Position in the document, from 0. */
    chunkIndex: number;
    /** How many chunks the document has. */
    totalChunks: number;
    /** Heading path, outermost first: `Getting started › Configuration`. */
    title?: string;
    /**
     * Path in the portal: `/docs/{namespace}/{kind}/{name}/{page}#{section}` or
     * `/catalog/{namespace}/{kind}/{name}`.
     */
    location?: string;
  };
}

/** Narrows a search. All that is given must hold; an empty list matches nothing. */
export interface SearchFilter {
  /** Entity references as they are stored, which is in lower case: `component:default/petstore`. */
  entityIds?: string[];
  /** Entity kinds, in any case: `['Component', 'API']`. */
  kinds?: string[];
  /** Entity namespaces, in any case. */
  namespaces?: string[];
  sources?: DocumentSource[];
  /** Keep hits whose similarity is at least this, from -1 to 1. */
  minSimilarity?: number;
}

/** One hit of a vector search. */
export interface SearchResult {
  documentChunk: DocumentChunk;
  /** 1 - cosine distance: 1 is the same direction, 0 unrelated, -1 opposite. */
  similarity: number;
}

/** One hit of a ranked search. */
export interface RankedResult extends SearchResult {
  /**
   * What the hits are ordered by, higher first; comparable only within one answer.
   * For mode `vector` the similarity, else the fused or keyword score.
   */
  score: number;
}

/** Which legs of the retrieval are used. */
export type SearchMode = 'hybrid' | 'vector' | 'keyword';
