import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Begins every encrypted text; the version tells how to read the rest. */
const PREFIX = 'enc:v1:';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** As NIST SP 800-38D recommends for GCM. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Why a text could not be decrypted, without anything of text or key. */
export type DecryptionProblem = 'wrong key format' | 'damaged text' | 'wrong key or altered text';

export function isEncrypted(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** 32 random bytes as base64. */
export function generateKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/** Whether {@link generateKey} may have made it. */
export function isKey(key: string): boolean {
  return readKey(key) !== undefined;
}

/**
 * AES-256-GCM with a new nonce each time: `enc:v1:` and base64url of nonce, tag and text.
 *
 * @param key - one that {@link isKey}.
 */
export function encryptText(text: string, key: string): string {
  const bytes = readKey(key);
  if (!bytes) {
    throw new TypeError('The key must be 32 bytes as base64.');
  }
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(PREFIX));
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url');
}

export function decryptText(
  text: string,
  key: string,
): { text: string } | { problem: DecryptionProblem } {
  const bytes = readKey(key);
  if (!bytes) {
    return { problem: 'wrong key format' };
  }
  const encoded = text.slice(PREFIX.length).trim();
  const sealed = Buffer.from(encoded, 'base64url');
  if (!isEncrypted(text) || !/^[\w-]+$/.test(encoded) || sealed.length < NONCE_BYTES + TAG_BYTES) {
    return { problem: 'damaged text' };
  }
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(PREFIX));
  decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const start = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
    return { text: Buffer.concat([start, decipher.final()]).toString('utf8') };
  } catch {
    return { problem: 'wrong key or altered text' };
  }
}

function readKey(key: string): Buffer | undefined {
  const trimmed = key.trim();
  const bytes = Buffer.from(trimmed, 'base64');
  return /^[\w+/-]+=*$/.test(trimmed) && bytes.length === KEY_BYTES ? bytes : undefined;
}
