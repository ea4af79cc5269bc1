import type { DocumentSource } from 'backstage-plugin-ask-ai-common';
import type {
  CollectedDocument,
  CollectOptions,
  Collector,
  DocumentSection,
} from 'backstage-plugin-ask-ai-node';
import { CollectorError } from '../errors';

/** A collector whose documents a test sets as it likes. */
export class FakeCollector implements Collector {
  /** By entity id: its sections, or what goes wrong when it is loaded. */
  readonly documents = new Map<string, string[] | Error>();
  /** Thrown once these documents were yielded. */
  failure: Error | undefined;
  /** Entity ids of the documents whose content was fetched. */
  readonly loaded: string[] = [];

  constructor(
    readonly source: DocumentSource,
    documents: Record<string, string[] | Error> = {},
    /** Whether the source tells fingerprints without reading the content. */
    private readonly hasEtags = false,
  ) {
    for (const [entityId, sections] of Object.entries(documents)) {
      this.documents.set(entityId, sections);
    }
  }

  breakDown(message: string): void {
    this.failure = new CollectorError(message);
  }

  async *collect({ entityRef }: CollectOptions): AsyncIterable<CollectedDocument> {
    for (const [entityId, sections] of this.documents) {
      if (entityRef === undefined || entityRef === entityId) {
        yield this.document(entityId, sections);
      }
    }
    if (this.failure) {
      throw this.failure;
    }
  }

  private document(entityId: string, sections: string[] | Error): CollectedDocument {
    const fingerprint = JSON.stringify(sections);
    return {
      entityId,
      entityName: entityId,
      source: this.source,
      fingerprint: this.hasEtags ? fingerprint : undefined,
      load: async () => {
        this.loaded.push(entityId);
        if (sections instanceof Error) {
          throw sections;
        }
        return { fingerprint, sections: sections.map(toSection) };
      },
    };
  }
}

function toSection(text: string, index: number): DocumentSection {
  return { headingPath: [`Section ${index}`], text, location: `/docs/section-${index}` };
}
