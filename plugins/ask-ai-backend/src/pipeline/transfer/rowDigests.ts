import { createHash } from 'node:crypto';
import type { EmbeddingVector, StoredDocument } from 'backstage-plugin-ask-ai-node';
import { littleEndianBytes } from '../../lib/base64Vector';

const FIRST_CAPACITY = 4_096;

/** 64 bits of everything in an embedding: an id, its chunk and its vector as float32. */
export function digestEmbedding({ id, vector, documentChunk }: EmbeddingVector): bigint {
  const { entityId, entityName, content, metadata } = documentChunk;
  const { source, chunkIndex, totalChunks, title, location } = metadata;
  const text = [
    id,
    documentChunk.id,
    entityId,
    entityName,
    content,
    source,
    chunkIndex,
    totalChunks,
  ];
  const json = JSON.stringify([...text, title ?? null, location ?? null]);
  return digest(json, littleEndianBytes(vector));
}

export function digestDocument(document: StoredDocument): bigint {
  const { entityId, source, fingerprint, chunkCount } = document;
  return digest(JSON.stringify([entityId, source, fingerprint, chunkCount]));
}

function digest(...parts: (string | Buffer)[]): bigint {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest().readBigUInt64LE(0);
}

/** Digests of any number of rows, 8 bytes each, in no order. */
export class RowDigests {
  private digests = new BigUint64Array(FIRST_CAPACITY);
  private length = 0;

  get count(): number {
    return this.length;
  }

  add(digest: bigint): void {
    if (this.length === this.digests.length) {
      const larger = new BigUint64Array(2 * this.length);
      larger.set(this.digests);
      this.digests = larger;
    }
    this.digests[this.length++] = digest;
  }

  /** Those that the other does not have, or not as often. */
  without(other: RowDigests): Set<bigint> {
    const [ours, theirs] = [this.sorted(), other.sorted()];
    const missing = new Set<bigint>();
    let position = 0;
    for (const digest of ours) {
      while (position < theirs.length && (theirs[position] as bigint) < digest) {
        position++;
      }
      if (theirs[position] === digest) {
        position++;
      } else {
        missing.add(digest);
      }
    }
    return missing;
  }

  private sorted(): BigUint64Array {
    return this.digests.slice(0, this.length).sort();
  }
}

/** A sum of digests: equal for the same rows in whatever order, and it can go on where it was left. */
export function addDigest(sum: bigint, digest: bigint): bigint {
  return BigInt.asUintN(64, sum + digest);
}
