import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import type { AnswerableQuestion } from './questions';

/**
 * Whether a hit answers a question: it is of the right entity's documentation, and it is one of the
 * sections that answer, or the whole page that such a section is on, or another piece of the
 * documentation that holds one of the texts.
 */
export function isRightHit(question: AnswerableQuestion, chunk: DocumentChunk): boolean {
  if (
    chunk.metadata.source !== 'techdocs' ||
    chunk.entityId.toLowerCase() !== question.entityRef.toLowerCase()
  ) {
    return false;
  }
  const location = locationInDocs(chunk);
  return (
    (location !== undefined && isRightPlace(location, question.locations)) ||
    question.answerContains.some(text => plain(chunk.content).includes(plain(text)))
  );
}

/** `/docs/default/component/petstore/page/#section` gives `page/#section`. */
function locationInDocs(chunk: DocumentChunk): string | undefined {
  return /^\/docs\/[^/]+\/[^/]+\/[^/#]+\/?(.*)$/.exec(chunk.metadata.location ?? '')?.[1];
}

function isRightPlace(location: string, locations: string[]): boolean {
  const isWholePage = !location.includes('#');
  return locations.some(
    right => right === location || (isWholePage && pageOf(right) === pageOf(location)),
  );
}

function pageOf(location: string): string {
  return location.replace(/#.*$/, '').replace(/\/$/, '');
}

/** Line breaks and indentation differ between Markdown and what was built from it. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
