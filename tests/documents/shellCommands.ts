/** A command of a shell block: its words, without variables before it and without redirections. */
export type Words = string[];

/** One word, with its quotes; an operator; or a comment. */
const TOKEN =
  /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\;|&<>#]|(?<=\S)#)+|&&|\|\||[;|&\n]|>>?|<|#[^\n]*/g;

/**
 * The commands of a text of shell, in order. It knows what documents use: words, quotes, comments, lists and
 * pipes, but no compound commands.
 */
export function shellCommands(text: string): Words[] {
  const commands: Words[] = [[]];
  let isFile = false;
  for (const [token] of text.replaceAll('\\\n', ' ').matchAll(TOKEN)) {
    if (token.startsWith('#')) {
      continue;
    }
    if (/^(&&|\|\||[;|&\n])$/.test(token)) {
      commands.push([]);
    } else if (/^[<>]+$/.test(token)) {
      isFile = true;
    } else if (isFile) {
      isFile = false;
    } else {
      commands.at(-1)?.push(unquote(token));
    }
  }
  return commands.map(withoutVariables).filter(words => words.length > 0);
}

function withoutVariables(words: Words): Words {
  const first = words.findIndex(word => !/^\w+=/.test(word));
  return first < 0 ? [] : words.slice(first);
}

function unquote(token: string): string {
  return token.replace(
    /'([^']*)'|"((?:\\.|[^"\\])*)"/g,
    (_, single = '', double = '') => single || double.replace(/\\(.)/g, '$1'),
  );
}
