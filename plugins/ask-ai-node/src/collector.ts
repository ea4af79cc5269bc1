import type { DocumentSource } from 'backstage-plugin-ask-ai-common';

/** A part of a document under one heading. */
export interface DocumentSection {
  /** Headings from the outermost to this one; empty for text above the first heading. */
  headingPath: string[];
  /** Markdown. */
  text: string;
  /** Path in the portal, as in `DocumentChunk.metadata.location`. */
  location: string;
}

/** What a document says. */
export interface DocumentContent {
  sections: DocumentSection[];
  /** Equal for equal content; an etag where the source has one. */
  fingerprint: string;
}

/** A document that a collector found; its content is fetched only when it is needed. */
export interface CollectedDocument {
  /** The entity reference in its normal form: `component:default/petstore`. */
  entityId: string;
  entityName: string;
  source: DocumentSource;
  /** Where the source can tell without reading the content. */
  fingerprint?: string;
  /** Rejects when this document can't be read; the others are indexed all the same. */
  load(options: { signal?: AbortSignal }): Promise<DocumentContent>;
}

/** What to collect. */
export interface CollectOptions {
  /** Only the documents of this entity. */
  entityRef?: string;
  signal?: AbortSignal;
}

/** Finds the documents of one source. */
export interface Collector {
  readonly source: DocumentSource;

  /**
   * Every document that belongs in the index, each once, in pages.
   *
   * @throws when the source can't be read to its end: documents that were not yielded must then be
   * taken as unknown, never as gone.
   */
  collect(options: CollectOptions): AsyncIterable<CollectedDocument>;
}
