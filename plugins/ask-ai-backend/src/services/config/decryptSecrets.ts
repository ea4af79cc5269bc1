import { type DecryptionProblem, decryptText, isEncrypted } from '../../lib/encryptedText';

/** Where the key of encrypted texts comes from. */
export const KEY_VARIABLE = 'ASK_AI_SECRET_KEY';

const REMEDY: Record<DecryptionProblem, string> = {
  'wrong key format': `${KEY_VARIABLE} is no key: it must be 32 bytes as base64, as ask-ai secret generate-key prints them`,
  'damaged text': 'it is cut or damaged: encrypt it again with ask-ai secret encrypt',
  'wrong key or altered text': `it was encrypted with another key than ${KEY_VARIABLE} holds, or altered: set the right key, or encrypt it again with ask-ai secret encrypt`,
};

/**
 * Puts the plain text in place of every `enc:v1:` text.
 *
 * @returns the block as far as it can be read, and a sentence for each text that can't.
 */
export function decryptSecrets(
  block: unknown,
  prefix: string,
  key: string | undefined,
): { block: unknown; problems: string[] } {
  const problems: string[] = [];
  const decrypt = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) {
      return value.map((item, index) => decrypt(item, `${path}[${index}]`));
    }
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, decrypt(inner, `${path}.${name}`)]),
      );
    }
    if (typeof value !== 'string' || !isEncrypted(value)) {
      return value;
    }
    if (!key) {
      problems.push(`${path} is encrypted, and ${KEY_VARIABLE} is not set: set it to the key`);
      return value;
    }
    const result = decryptText(value, key);
    if ('text' in result) {
      return result.text;
    }
    problems.push(`${path} can't be decrypted: ${REMEDY[result.problem]}`);
    return value;
  };
  return { block: decrypt(block, prefix), problems };
}
