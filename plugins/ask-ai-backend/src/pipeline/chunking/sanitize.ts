/** Everything below U+0020 but tab and line breaks, and DEL: PostgreSQL refuses NUL, readers the rest. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f\ufeff]/g;
const UNPAIRED_SURROGATES = /\p{Surrogate}/gu;

/** Text that every database and every encoder takes. */
export function sanitizeText(text: string): string {
  return text.replace(CONTROL_CHARACTERS, ' ').replace(UNPAIRED_SURROGATES, '\ufffd');
}
