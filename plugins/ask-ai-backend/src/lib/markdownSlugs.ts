import MarkdownIt from 'markdown-it';

/** An id that the author chose: `## Install {#setup}` or `{: #setup }`. */
const CHOSEN_ID = /[ \t]+\{:?[^{}#]*#([\w-]+)[^{}]*\}[ \t]*$/;
/** Any other attributes of a heading. */
const ATTRIBUTES = /[ \t]+\{:?[ \t]*[.#:\w][^{}]*\}[ \t]*$/;

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
  return source => {
    let id = CHOSEN_ID.exec(source)?.[1] ?? slugOf(headingText(source));
    while (id === '' || taken.has(id)) {
      const counted = COUNTED.exec(id);
      id = counted ? `${counted[1]}_${Number(counted[2]) + 1}` : `${id}_1`;
    }
    taken.add(id);
    return id;
  };
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
