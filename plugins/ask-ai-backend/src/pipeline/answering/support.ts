import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { queryTerms, tokenise } from '../../lib/text';

/** Share of the question's words that one passage must hold to count as support: more than half. */
const MIN_COVERAGE = 0.55;

/**
 * Similarity from which a passage counts as support although it uses other words; only for models
 * that know meanings. Sentence models such as all-minilm give unrelated texts less than 0.3.
 */
const MIN_MEANING_SIMILARITY = 0.5;

/** The hits that a truthful answer could stand on; none means "not found". */
export function supportingHits(
  question: string,
  hits: RankedResult[],
  { knowsMeaning }: { knowsMeaning: boolean },
): RankedResult[] {
  const words = new Set(queryTerms(question));
  const isSupported = hits.some(
    hit =>
      coverage(words, hit) >= MIN_COVERAGE ||
      (knowsMeaning && hit.similarity >= MIN_MEANING_SIMILARITY),
  );
  return isSupported ? hits : [];
}

/** Share of the words that a hit's text, title or entity name holds, from 0 to 1. */
export function coverage(words: Set<string>, { documentChunk }: RankedResult): number {
  if (words.size === 0) {
    return 0;
  }
  const { entityName, entityId, content, metadata } = documentChunk;
  const held = new Set(tokenise(`${entityName} ${entityId} ${metadata.title ?? ''} ${content}`));
  let covered = 0;
  for (const word of words) {
    covered += held.has(word) ? 1 : 0;
  }
  return covered / words.size;
}
