/**
 * The vectors that every benchmark uses: 200 centres drawn from N(0,1)^d, each vector a random centre
 * plus 0.8 x N(0,1)^d, normalised. Easier clusters make recall trivial, uniform vectors make it
 * meaningless. Equal seeds give equal vectors.
 */
export interface VectorSource {
  next(): Float32Array;
}

const CENTRES = 200;
const SPREAD = 0.8;

/** @param seed - of the vectors drawn; the centres are the same for all seeds of a dimension. */
export function clusteredVectors(dimensions: number, seed: number): VectorSource {
  const centreNoise = gaussian(mulberry32(dimensions));
  const centres = Array.from({ length: CENTRES }, () =>
    Float32Array.from({ length: dimensions }, centreNoise),
  );
  const random = mulberry32(seed);
  const noise = gaussian(random);
  return {
    next: () => {
      const centre = centres[Math.floor(random() * CENTRES)] as Float32Array;
      const vector = new Float32Array(dimensions);
      let squares = 0;
      for (let i = 0; i < dimensions; i++) {
        const value = (centre[i] as number) + SPREAD * noise();
        vector[i] = value;
        squares += value * value;
      }
      const norm = Math.sqrt(squares);
      for (let i = 0; i < dimensions; i++) {
        vector[i] = (vector[i] as number) / norm;
      }
      return vector;
    },
  };
}

/** Uniform in [0, 1): Mulberry32, a public-domain generator with 32 bits of state. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** N(0,1) by the method of Box and Muller, which gives two numbers at a time. */
function gaussian(random: () => number): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
