/** Characters. What is too long for a model even at this length is not refused for its length. */
const MIN_LENGTH_TO_HALVE = 32;

/**
 * Cuts a text in two at the white space nearest to its middle, else between two characters.
 *
 * @returns `undefined` when the text is too short to be cut.
 */
export function halvesOf(text: string): [string, string] | undefined {
  if (text.trim().length < MIN_LENGTH_TO_HALVE) return undefined;
  const trimmed = text.trim();
  const cut = nearestWhiteSpace(trimmed, trimmed.length >> 1);
  const halves = cut === undefined ? cutBetweenCharacters(trimmed) : cutAt(trimmed, cut);
  return halves;
}

/** Of the whole text, so that a cut never leaves almost nothing on one side. */
const MIN_SHARE_OF_A_HALF = 0.25;

function nearestWhiteSpace(text: string, middle: number): number | undefined {
  const reach = Math.floor(text.length * (0.5 - MIN_SHARE_OF_A_HALF));
  for (let distance = 0; distance <= reach; distance++) {
    for (const position of [middle - distance, middle + distance]) {
      if (/\s/.test(text[position] ?? '')) return position;
    }
  }
  return undefined;
}

/** Not within a surrogate pair. */
function cutBetweenCharacters(text: string): [string, string] {
  const middle = text.length >> 1;
  const code = text.charCodeAt(middle);
  return cutAt(text, code >= 0xdc00 && code <= 0xdfff ? middle + 1 : middle);
}

function cutAt(text: string, position: number): [string, string] {
  return [text.slice(0, position).trimEnd(), text.slice(position).trimStart()];
}

/**
 * The direction of the weighted mean of some directions, as a unit vector. Opposite ones cancel out:
 * the first one stands for them all then.
 */
export function meanDirection(vectors: Float32Array[], weights: number[]): Float32Array {
  const [first = new Float32Array(0)] = vectors;
  const mean = new Float64Array(first.length);
  vectors.forEach((vector, index) => {
    const factor = (weights[index] ?? 0) / lengthOf(vector);
    vector.forEach((number, position) => {
      mean[position] = (mean[position] ?? 0) + number * factor;
    });
  });
  const length = lengthOf(mean);
  return length === 0 ? first : Float32Array.from(mean, number => number / length);
}

function lengthOf(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (const number of vector) squares += number * number;
  return Math.sqrt(squares);
}
