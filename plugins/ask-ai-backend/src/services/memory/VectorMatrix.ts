import type { TopK } from '../../lib/topK';

/** Rows that room is made for at first. */
const INITIAL_ROWS = 64;

/** How much larger the array becomes when it is full: every vector is copied about twice in all. */
const GROWTH = 1.5;

/** A vector that others are compared with. */
export interface Query {
  /** Of length 1. As doubles: the numbers of the matrix are converted on the way, these are not. */
  readonly unit: Float64Array;
}

/**
 * Vectors as the rows of one Float32Array, with their lengths beside them. The caller decides which
 * row holds what.
 */
export class VectorMatrix {
  private data = new Float32Array(0);
  /** 1 / length of each row; 0 marks a row that holds nothing. */
  private inverseLengths = new Float64Array(0);
  /** One more than the last row that was ever set. */
  private rowCount = 0;

  constructor(readonly dimensions: number) {}

  /** Makes room, so that setting rows below `rows` can't fail. */
  reserve(rows: number): void {
    const capacity = this.inverseLengths.length;
    if (rows <= capacity) {
      return;
    }
    const larger = Math.max(rows, INITIAL_ROWS, Math.ceil(capacity * GROWTH));
    const data = new Float32Array(larger * this.dimensions);
    const inverseLengths = new Float64Array(larger);
    data.set(this.data);
    inverseLengths.set(this.inverseLengths);
    this.data = data;
    this.inverseLengths = inverseLengths;
  }

  /** @param row - one that room was reserved for. */
  set(row: number, vector: ArrayLike<number>): void {
    const start = row * this.dimensions;
    this.data.set(vector, start);
    // Of what is stored, not of what came: rounding to float32 changes it.
    this.inverseLengths[row] = 1 / lengthOf(this.data.subarray(start, start + this.dimensions));
    this.rowCount = Math.max(this.rowCount, row + 1);
  }

  unset(row: number): void {
    this.inverseLengths[row] = 0;
  }

  /** A copy. */
  get(row: number): Float32Array {
    return this.data.slice(row * this.dimensions, (row + 1) * this.dimensions);
  }

  /** Cosine similarity of a row, from -1 to 1. */
  similarity(query: Query, row: number): number {
    const { data, dimensions, inverseLengths } = this;
    const cosine =
      dotProduct(data, row * dimensions, query.unit, dimensions) * (inverseLengths[row] as number);
    // Rounding may lead a little beyond.
    return Math.min(1, Math.max(-1, cosine));
  }

  /** Offers the given rows, or all, by their similarity. */
  offerNearest(query: Query, top: TopK, rows?: Iterable<number>): void {
    if (rows) {
      for (const row of rows) {
        top.offer(row, this.similarity(query, row));
      }
      return;
    }
    let { threshold } = top;
    for (let row = 0; row < this.rowCount; row++) {
      if (this.inverseLengths[row] !== 0) {
        const similarity = this.similarity(query, row);
        if (similarity >= threshold) {
          threshold = top.offer(row, similarity);
        }
      }
    }
  }
}

/** @param vector - not zero. */
export function toQuery(vector: ArrayLike<number>): Query {
  // By way of float32, as the stored vectors are.
  const unit = new Float64Array(new Float32Array(vector));
  const length = lengthOf(unit);
  return { unit: unit.map(element => element / length) };
}

function lengthOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) {
    const element = vector[i] as number;
    squares += element * element;
  }
  return Math.sqrt(squares);
}

/**
 * Four sums at once: with one, every addition waits for the one before, which takes more than twice
 * as long. The order of the additions is fixed, so equal vectors have equal similarities.
 */
function dotProduct(
  data: Float32Array,
  start: number,
  query: Float64Array,
  dimensions: number,
): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let i = 0;
  for (; i + 3 < dimensions; i += 4) {
    sum0 += (data[start + i] as number) * (query[i] as number);
    sum1 += (data[start + i + 1] as number) * (query[i + 1] as number);
    sum2 += (data[start + i + 2] as number) * (query[i + 2] as number);
    sum3 += (data[start + i + 3] as number) * (query[i + 3] as number);
  }
  for (; i < dimensions; i++) {
    sum0 += (data[start + i] as number) * (query[i] as number);
  }
  return sum0 + sum1 + (sum2 + sum3);
}
