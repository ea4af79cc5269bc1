import { describe, expect, it } from 'vitest';
import { decryptText, encryptText, generateKey, isEncrypted, isKey } from './encryptedText';

describe('encryptText', () => {
  const key = generateKey();

  it.each(['p', 'postgresql://u:pä@h/d?sslmode=verify-full', ''])('gives back %j', text => {
    const encrypted = encryptText(text, key);
    expect(isEncrypted(encrypted)).toBe(true);
    expect(decryptText(encrypted, key)).toEqual({ text });
  });

  it('never gives the same twice', () => {
    expect(encryptText('a', key)).not.toBe(encryptText('a', key));
  });

  it('refuses another key, and every altered character', () => {
    const encrypted = encryptText('secret', key);
    expect(decryptText(encrypted, generateKey())).toEqual({ problem: 'wrong key or altered text' });
    // The last character holds bits that are no part of the text.
    for (let index = 'enc:v1:'.length; index < encrypted.length - 1; index++) {
      const other = encrypted[index] === 'A' ? 'B' : 'A';
      const altered = encrypted.slice(0, index) + other + encrypted.slice(index + 1);
      expect(decryptText(altered, key)).toEqual({ problem: 'wrong key or altered text' });
    }
  });

  it.each(['enc:v1:', 'enc:v1:abc', 'enc:v1:%%%%', 'enc:v2:abc'])('refuses %s as damaged', text => {
    expect(decryptText(text, key)).toEqual({ problem: 'damaged text' });
  });

  it('takes only keys of 32 bytes', () => {
    expect(isKey(key)).toBe(true);
    expect([isKey('short'), isKey(''), isKey(`${key}AAAA`), isKey('ä'.repeat(43))]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(decryptText(encryptText('a', key), 'short')).toEqual({ problem: 'wrong key format' });
  });
});
