import { CitationFilter, citedNumbers } from './citations';
import { NOT_FOUND_REPLY } from './prompt';

/** Marks that models put around a short reply. */
const MARKS = /^[\s*_"'`[(]+/;

const END_MARKS = /[\s.!*_"'`\])]+$/;

/**
 * What a model writes, as it may be shown: citations of sources that do not exist are taken out, and
 * nothing is shown of a reply that says that nothing was found.
 *
 * @returns the whole of what was shown; empty when the model found nothing.
 */
export async function* checkedReply(
  pieces: AsyncIterable<string>,
  sourceCount: number,
): AsyncGenerator<string, string, undefined> {
  const citations = new CitationFilter(sourceCount);
  let start: string | undefined = '';
  let shown = '';
  for await (const piece of pieces) {
    let text = piece;
    if (start !== undefined) {
      start += piece;
      const verdict = judge(start);
      if (verdict === 'notFound') {
        return '';
      }
      if (verdict === 'open') {
        continue;
      }
      text = start.trimStart();
      start = undefined;
    }
    const checked = citations.push(text);
    if (checked !== '') {
      shown += checked;
      yield checked;
    }
  }
  const rest = (start === undefined ? '' : citations.push(start.trimStart())) + citations.flush();
  if (saysNotFound(shown + rest)) {
    return '';
  }
  if (rest !== '') {
    yield rest;
  }
  return (shown + rest).trim();
}

/** Whether the beginning of a reply is an answer; `open` while it may be either. */
function judge(start: string): 'notFound' | 'answer' | 'open' {
  const text = start.replace(MARKS, '');
  if (text.length <= NOT_FOUND_REPLY.length) {
    return NOT_FOUND_REPLY.startsWith(text.toUpperCase()) ? 'open' : 'answer';
  }
  if (text.startsWith(NOT_FOUND_REPLY)) {
    return /[\p{L}\p{N}]/u.test(text.charAt(NOT_FOUND_REPLY.length)) ? 'answer' : 'notFound';
  }
  // "Not found." alone says so, too; "Not found errors are retried" is an answer.
  return isOnlyNotFound(text) ? 'open' : 'answer';
}

/** Of a whole reply; one that explains itself first must not cite anything. */
function saysNotFound(reply: string): boolean {
  const text = reply.replace(MARKS, '').replace(END_MARKS, '');
  return (
    text === '' ||
    isOnlyNotFound(text) ||
    (text.endsWith(NOT_FOUND_REPLY) && citedNumbers(text).length === 0)
  );
}

function isOnlyNotFound(text: string): boolean {
  return text.replace(END_MARKS, '').toUpperCase() === NOT_FOUND_REPLY;
}
