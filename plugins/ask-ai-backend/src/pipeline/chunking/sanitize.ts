/** Of which PostgreSQL refuses NUL and readers the rest; a mark of byte order is no text either. */
const CONTROL_CHARACTERS = /(?![\t\n\r])[\p{Cc}\ufeff]/gu;
const UNPAIRED_SURROGATES = /\p{Surrogate}/gu;

/** Text that every database and every encoder takes. */
export function sanitizeText(text: string): string {
  return text.replace(CONTROL_CHARACTERS, ' ').replace(UNPAIRED_SURROGATES, '\ufffd');
}
