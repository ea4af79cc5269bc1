import MarkdownIt from 'markdown-it';

/*
 * The assertions let a long run of spaces or letters be tried once, not from each of its characters.
 */

/** An id that the author chose: `## Install {#setup}` or `{: #setup }`. */
const CHOSEN_ID = /(?<![ \t])[ \t]+\{:?[^{}#]*#([\w-]+)(?![\w-])[^{}]*\}[ \t]*$/;
/** Any other attributes of a heading. */
const ATTRIBUTES = /(?<![ \t])[ \t]+\{:?[ \t]*[.#:\w][^{}]*\}[ \t]*$/;

const COUNTED = /^(.*)_(\d+)$/;

const inlineParser = new MarkdownIt({ html: true });

/** What a reader sees of a heading: without emphasis, link targets, images and attributes. */
export function headingText(source: string): string {
  const [inline] = inlineParser.parseInline(source.replace(ATTRIBUTES, ''), {});
  return (inline?.children ?? [])
    .map(({ type, content }) =>
      type === 'text' || type === 'code_inline' || type === 'text_special'
        ? content
        : type === 'softbreak'
          ? ' '
          : '',
    )
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Names the headings of one page, in order, as the `toc` extension of Python-Markdown does, which MkDocs
 * builds its links from: `Set up & run` is `set-up-run`, a second one `set-up-run_1`.
 */
export function createHeadingIds(): (source: string) => string {
  const taken = new Set<string>();
  // For a taken id one further on, up to which all are taken: equal headings don't count from 1 each.
  const further = new Map<string, string>();
  return source => {
    let id = CHOSEN_ID.exec(source)?.[1] ?? slugOf(headingText(source));
    const passed: string[] = [];
    while (id === '' || taken.has(id)) {
      passed.push(id);
      id = further.get(id) ?? nextId(id);
    }
    for (const each of passed) {
      further.set(each, id);
    }
    taken.add(id);
    return id;
  };
}

/** With the next number; of any size, as in Python. */
function nextId(id: string): string {
  const [, base, count] = COUNTED.exec(id) ?? [];
  return count === undefined ? `${id}_1` : `${base}_${BigInt(count) + 1n}`;
}

function slugOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[^\x20-\x7e]/g, '')
    .replace(/[^\w\s-]/g, '')
    .trim()
    .toLowerCase()
    .replace(/[-\s]+/g, '-');
}
