import type { ModelServer } from './modelServer';
import { faultyAnswer } from './serverFaults';

/** What must hold for an answer. */
export interface ExpectedAnswer {
  /** How many texts were sent. */
  count: number;
  /** What was asked for, where something was. */
  dimensions?: number;
}

/**
 * Takes vectors out of what a server answered, and trusts nothing in it.
 *
 * @param embeddings - in the order of the texts; each a list of numbers, or their bytes in base64
 * (little-endian, 32 bits each).
 * @throws ProviderError that names the fault, unless there are as many vectors as texts, of one
 * dimension, every number finite in 32 bits, none of them all zero.
 */
export function vectorsOfAnswer(
  server: ModelServer,
  embeddings: unknown,
  { count, dimensions }: ExpectedAnswer,
): Float32Array[] {
  if (!Array.isArray(embeddings)) throw faultyAnswer(server, 'no list of embeddings');
  if (embeddings.length !== count) {
    throw faultyAnswer(server, `${embeddings.length} embeddings for ${count} texts`);
  }
  let expected = dimensions;
  return embeddings.map((embedding: unknown, index) => {
    const vector = toVector(embedding);
    if (typeof vector === 'string') throw faultyAnswer(server, `${vector} in embedding ${index}`);
    if (expected !== undefined && vector.length !== expected) {
      throw faultyAnswer(
        server,
        `${vector.length} numbers in embedding ${index}, expected ${expected}`,
      );
    }
    expected = vector.length;
    return vector;
  });
}

/** The vector, or what is wrong with it. */
function toVector(embedding: unknown): Float32Array | string {
  const numbers = typeof embedding === 'string' ? fromBase64(embedding) : embedding;
  if (numbers instanceof Float32Array || Array.isArray(numbers)) return checked(numbers);
  return 'no list of numbers';
}

function checked(numbers: ArrayLike<unknown>): Float32Array | string {
  const vector = new Float32Array(numbers.length);
  let isZero = true;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i];
    if (typeof number !== 'number')
      return `${number === null ? 'null' : typeof number}, not a number,`;
    vector[i] = number;
    if (!Number.isFinite(vector[i])) return `${number}, not a finite number,`;
    if (number !== 0) isZero = false;
  }
  return isZero ? 'nothing but zeros' : vector;
}

function fromBase64(text: string): Float32Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) return undefined;
  const vector = new Float32Array(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  for (let i = 0; i < vector.length; i++) {
    vector[i] = bytes.readFloatLE(i * Float32Array.BYTES_PER_ELEMENT);
  }
  return vector;
}
