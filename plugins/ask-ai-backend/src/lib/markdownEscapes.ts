/** Characters that begin something in Markdown that is not text: HTML, entities, images, code. */
export const SPECIAL_CHARACTERS = ['\\', '`', '<', '&', '!', '[', '{'];

const SPECIAL = `[${SPECIAL_CHARACTERS.map(character => `\\${character}`).join('')}]`;

const SPECIAL_CHARACTER = new RegExp(SPECIAL, 'g');

/** A backslash and the special character that it makes an ordinary one. */
export const ESCAPED_CHARACTER = new RegExp(`\\\\(${SPECIAL})`, 'g');

/** Markdown that means exactly this text: `array<string>` stays what it is. */
export function escapeMarkdown(text: string): string {
  return text.replace(SPECIAL_CHARACTER, '\\$&');
}
