/** HTML elements that stand inside a sentence: without their tags the words stay as they are. */
const INLINE = new Set(
  'a abbr b bdi bdo cite code del dfn em font i img ins kbd mark q s samp small span strike strong sub sup tt u var wbr'.split(
    ' ',
  ),
);

/**
 * The other elements that documentation uses. Names that also stand for a value to fill in, such as
 * `<path>` or `<title>`, are left out, and `array<string>` is none.
 */
const BLOCK = new Set(
  (
    'article aside audio blockquote body br button caption center col colgroup dd details div dl dt ' +
    'fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html iframe li main nav ' +
    'noscript ol p picture pre script section style summary svg table tbody td tfoot th thead tr ul video'
  ).split(' '),
);

/** Bounded, so that a megabyte of `<` stays cheap. */
const TAG = /(^[ \t]*)?<\/?([A-Za-z][A-Za-z0-9]{0,20})((?:\s[^<>]{0,2000})?)\/?>/gm;
const ALTERNATIVE_TEXT = /\salt\s*=\s*(?:"([^"]{0,500})"|'([^']{0,500})')/i;
const ENTITY = /&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});/gi;

const NAMED_ENTITIES: Record<string, string> = {
  amp: '&',
  apos: "'",
  gt: '>',
  hellip: '…',
  lt: '<',
  mdash: '—',
  nbsp: ' ',
  ndash: '–',
  quot: '"',
};

/**
 * Text without HTML tags, and with the common entities as characters. Names in mixed case are left:
 * they are components of JSX, which a documentation of code is about.
 *
 * @param describe - what stands for an image with this alternative text.
 */
export function withoutHtml(text: string, describe: (alternative: string) => string): string {
  return text
    .replace(TAG, (tag, indentation: string | undefined, name: string, attributes: string) => {
      if (!isHtmlName(name)) {
        return tag;
      }
      if (name.toLowerCase() === 'img') {
        const [, double, single] = ALTERNATIVE_TEXT.exec(attributes) ?? [];
        return describe(double ?? single ?? '');
      }
      if (indentation !== undefined) {
        return '';
      }
      return INLINE.has(name.toLowerCase()) ? '' : ' ';
    })
    .replace(ENTITY, (entity, name: string) => decodeEntity(name) ?? entity);
}

function isHtmlName(name: string): boolean {
  const lowerCase = name.toLowerCase();
  return (
    (name === lowerCase || name === name.toUpperCase()) &&
    (INLINE.has(lowerCase) || BLOCK.has(lowerCase))
  );
}

function decodeEntity(name: string): string | undefined {
  if (!name.startsWith('#')) {
    return NAMED_ENTITIES[name.toLowerCase()];
  }
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  const isCharacter = code >= 32 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}
