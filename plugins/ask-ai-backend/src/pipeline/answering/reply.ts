import { CitationFilter, citedNumbers } from './citations';
import { NOT_FOUND_REPLY } from './prompt';
import { withoutThoughts } from './thoughts';

/** Marks that models put around a short reply. */
const MARKS = /^[\s*_"'`[(]+/;

const END_MARKS = /[\s.!*_"'`\])]+$/;

/** The words, and the end of their sentence or line: what follows explains why. */
const NOT_FOUND_ENDED = new RegExp(
  `^${NOT_FOUND_REPLY}(?:[*_"'\`\\])\\s]*[.!:;–—-]+\\s|[.!*_"'\`\\])\\s]*\\n)`,
);

/** Characters that are kept back of a reply that may say that nothing was found. */
const MAX_HELD = 500;

/**
 * What a model writes, as it may be shown: citations of sources that do not exist are taken out, and
 * nothing is shown of a reply that says that nothing was found, nor of the thoughts before it.
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
  for await (const piece of withoutThoughts(pieces)) {
    let text = piece;
    if (start !== undefined) {
      start += piece;
      const verdict = judge(start, sourceCount);
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
  if (saysNotFound(shown + rest, sourceCount)) {
    return '';
  }
  if (rest !== '') {
    yield rest;
  }
  return (shown + rest).trim();
}

/** Whether the beginning of a reply is an answer; `open` while it may be either. */
function judge(start: string, sourceCount: number): 'notFound' | 'answer' | 'open' {
  const verdict = judgeWords(start.replace(MARKS, ''), sourceCount);
  if (verdict !== 'open' || start.length <= MAX_HELD) {
    return verdict;
  }
  return saysNotFound(start, sourceCount) ? 'notFound' : 'answer';
}

function judgeWords(text: string, sourceCount: number): 'notFound' | 'answer' | 'open' {
  if (text.length <= NOT_FOUND_REPLY.length) {
    return NOT_FOUND_REPLY.startsWith(text.toUpperCase()) ? 'open' : 'answer';
  }
  // "Not found." alone says so, too; "Not found errors are retried" is an answer.
  if (!beginsWithNotFound(text)) {
    return isOnlyNotFound(text) ? 'open' : 'answer';
  }
  if (sourceCount > 0 && NOT_FOUND_ENDED.test(text)) {
    return 'notFound';
  }
  if (isOnlyNotFound(text) || /[\]】]$/.test(text)) {
    return 'open';
  }
  // "NOT FOUND (404) is what the gateway answers [1]" quotes the words.
  return sourceCount === 0 || cites(text, sourceCount) ? 'answer' : 'open';
}

/** Of a whole reply; one that explains itself must not cite anything. */
function saysNotFound(reply: string, sourceCount: number): boolean {
  const text = reply.replace(MARKS, '').replace(END_MARKS, '');
  return (
    text === '' ||
    isOnlyNotFound(text) ||
    ((text.endsWith(NOT_FOUND_REPLY) || (sourceCount > 0 && beginsWithNotFound(text))) &&
      !cites(reply, sourceCount))
  );
}

function beginsWithNotFound(text: string): boolean {
  return (
    text.startsWith(NOT_FOUND_REPLY) && !/[\p{L}\p{N}]/u.test(text.charAt(NOT_FOUND_REPLY.length))
  );
}

function isOnlyNotFound(text: string): boolean {
  return text.replace(END_MARKS, '').toUpperCase() === NOT_FOUND_REPLY;
}

function cites(text: string, sourceCount: number): boolean {
  return citedNumbers(text).some(number => number >= 1 && number <= sourceCount);
}
