import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeVectorBase64, encodeVectorBase64 } from './base64Vector';

describe('vectors in base64', () => {
  it('come back to the last bit (200 cases)', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 0, maxLength: 50 }), vector => {
        const decoded = decodeVectorBase64(encodeVectorBase64(vector)) ?? new Float32Array(1);
        expect(Buffer.from(decoded.slice().buffer)).toEqual(Buffer.from(vector.slice().buffer));
      }),
      { seed: 20, numRuns: 200 },
    );
  });

  it('are little-endian float32', () => {
    expect(encodeVectorBase64([1, -2])).toBe('AACAPwAAAMA=');
  });

  it.each(['AACAPwAA', 'no base64!', 'AACAPw==AAAA', 'AAC*Pw=='])('are not made of %s', text => {
    expect(decodeVectorBase64(text)).toBeUndefined();
  });
});
