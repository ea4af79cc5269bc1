import { endianness } from 'node:os';

/** Base64 of the numbers as float32, little-endian: a fourth of the length of decimal numbers, and exact. */
export function encodeVectorBase64(vector: ArrayLike<number>): string {
  return littleEndianBytes(vector).toString('base64');
}

/** @returns `undefined` when the text is no base64 of float32 numbers. */
export function decodeVectorBase64(text: string): Float32Array | undefined {
  const decoded = Buffer.from(text, 'base64');
  if (decoded.length % 4 !== 0 || decoded.length !== Math.floor((unpadded(text) * 3) / 4)) {
    return undefined;
  }
  const bytes = aligned(decoded);
  if (endianness() === 'BE') {
    bytes.swap32();
  }
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Float32 numbers begin at a multiple of 4 bytes, as a decoded text mostly does. */
function aligned(bytes: Buffer): Buffer {
  return bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
}

/** The same bytes on every machine. */
export function littleEndianBytes(vector: ArrayLike<number>): Buffer {
  const numbers = Float32Array.from(vector);
  const bytes = Buffer.from(numbers.buffer);
  return endianness() === 'BE' ? bytes.swap32() : bytes;
}

function unpadded(text: string): number {
  return text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
}
