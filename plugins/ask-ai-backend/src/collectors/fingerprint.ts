import { createHash } from 'node:crypto';

/** Equal for equal values; of the JSON text, so that the order of keys counts. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
