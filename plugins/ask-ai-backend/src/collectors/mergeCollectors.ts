import type { DocumentSource } from 'backstage-plugin-ask-ai-common';
import type { CollectedDocument, CollectOptions, Collector } from 'backstage-plugin-ask-ai-node';

/**
 * One collector for each source: a run takes what the collector of a source does not find for gone. Of a
 * document that several find, the first one's counts.
 */
export function mergeCollectors(collectors: readonly Collector[]): Collector[] {
  const sources = new Set(collectors.map(({ source }) => source));
  return [...sources].map(source => {
    const ofSource = collectors.filter(collector => collector.source === source);
    const [only] = ofSource;
    return only && ofSource.length === 1 ? only : mergeOfSource(source, ofSource);
  });
}

function mergeOfSource(source: DocumentSource, collectors: readonly Collector[]): Collector {
  return {
    source,
    async *collect(options: CollectOptions): AsyncIterable<CollectedDocument> {
      const seen = new Set<string>();
      const failures: unknown[] = [];
      for (const collector of collectors) {
        try {
          for await (const document of collector.collect(options)) {
            if (!seen.has(document.entityId)) {
              seen.add(document.entityId);
              yield document;
            }
          }
        } catch (error) {
          // The others are read all the same; that one was not read to its end is told afterwards.
          failures.push(error);
        }
      }
      if (failures.length > 0) {
        throw failures[0];
      }
    },
  };
}
