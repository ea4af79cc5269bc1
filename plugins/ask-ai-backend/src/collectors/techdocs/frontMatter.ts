const KEY = /^[\w.-]+[ \t]*:(?:[ \t].*)?$/;
const OTHER_LINE = /^(?:[ \t]+\S.*|-[ \t].*|#.*|[ \t]*)$/;

/**
 * The lines of a page after its front matter, and the front matter's own; those are empty where there
 * is none. A list or a comment between two rules is content, as it is for MkDocs.
 */
export function withoutFrontMatter(lines: string[]): { lines: string[]; frontMatter: string[] } {
  const end =
    lines[0]?.trimEnd() === '---'
      ? lines.findIndex((line, index) => index > 0 && /^(?:---|\.\.\.)\s*$/.test(line))
      : -1;
  const frontMatter = lines.slice(1, Math.max(end, 1));
  const isFrontMatter =
    frontMatter.some(line => KEY.test(line)) &&
    frontMatter.every(line => KEY.test(line) || OTHER_LINE.test(line));
  return isFrontMatter ? { lines: lines.slice(end + 1), frontMatter } : { lines, frontMatter: [] };
}
