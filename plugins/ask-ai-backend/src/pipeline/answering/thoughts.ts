const OPENING = '<think>';
const CLOSING = '</think>';

/**
 * A reply without the thoughts that it begins with, `<think>…</think>`: models that reason give them
 * behind servers that do not know them apart. Thoughts that never end leave nothing. However long
 * they are, no more than a tag and the last piece is kept.
 */
export async function* withoutThoughts(
  pieces: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let state: 'start' | 'thought' | 'text' = 'start';
  let held = '';
  for await (const piece of pieces) {
    held += piece;
    if (state === 'thought' || state === 'start') {
      [state, held] = skipThoughts(state, held);
    }
    if (state === 'text') {
      yield held;
      held = '';
    }
  }
  if (state === 'start' && held !== '') {
    yield held;
  }
}

/** Goes on as far as is known; what is left of the text must be kept, or is to be shown. */
function skipThoughts(
  from: 'start' | 'thought',
  text: string,
): ['start' | 'thought' | 'text', string] {
  let isThought = from === 'thought';
  let rest = text;
  for (;;) {
    if (isThought) {
      const end = rest.indexOf(CLOSING);
      if (end < 0) {
        return ['thought', rest.slice(1 - CLOSING.length)];
      }
      rest = rest.slice(end + CLOSING.length);
      isThought = false;
    }
    rest = rest.trimStart();
    if (!rest.startsWith(OPENING)) {
      return [OPENING.startsWith(rest) ? 'start' : 'text', rest];
    }
    rest = rest.slice(OPENING.length);
    isThought = true;
  }
}
