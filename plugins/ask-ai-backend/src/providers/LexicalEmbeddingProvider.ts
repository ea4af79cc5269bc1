import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EmbeddingProvider, EmbedOptions, EmbedResult } from 'backstage-plugin-ask-ai-node';
import { FeatureCounts } from './featureCounts';
import { findTokens, isFunctionWord, normaliseText, termsOf } from './lexicalTerms';

/** Options of the built-in embedding. */
export interface LexicalEmbeddingOptions {
  /** Numbers in every vector. More of them mean fewer collisions. Default 384. */
  dimensions?: number;
}

/** As many as all-minilm has, the default of the schema. */
const DEFAULT_DIMENSIONS = 384;

/** What a feature is; the number is part of its id. */
enum Kind {
  Word,
  /** A whole identifier, besides its words. */
  Identifier,
  /** Some characters in a row, within a word: brings misspellings and other endings close. */
  NGram,
  /** Two words in a row. */
  Pair,
  FunctionWord,
}

const KIND_BITS = 3;

/**
 * What a feature counts, by kind. Chosen by ranking the sections of public documentation against
 * real questions, sentences with words left out, and headings, over four hash seeds: the results are
 * flat around these values (identifiers 1 to 2, n-grams 0.3 to 0.6, pairs 0.3 to 0.6).
 */
const WEIGHTS: Record<Kind, number> = {
  [Kind.Word]: 1,
  [Kind.Identifier]: 1.5,
  [Kind.NGram]: 0.4,
  [Kind.Pair]: 0.4,
  [Kind.FunctionWord]: 0.3,
};

/** Shorter n-grams are shared by unrelated words, longer ones miss other endings. */
const N_GRAM_LENGTH = 4;

/** How often a word of the heading counts: what a section is called says best what it is about. */
const HEADING_WEIGHT = 3;

/** Characters. A longer first line is a paragraph, not a heading. */
const MAX_HEADING_LENGTH = 200;

/** Tokens whose features are kept, some 10 MB at most. Documentation repeats its vocabulary. */
const MAX_CACHED_TOKENS = 20_000;

/** Characters. What is longer is data, such as a key in base64: no part of it means anything. */
const MAX_WORD_LENGTH = 64;

/** What one token adds to a vector. */
interface TokenFeatures {
  ids: number[];
  /** Ids of the words that form pairs with the words beside them; function words do not. */
  pairable: number[];
}

/**
 * A lexical embedding without any model or server: texts are close when they share words, parts of
 * identifiers or pieces of words. It knows nothing of meaning: a synonym is a stranger to it.
 *
 * Features are hashed to a position and a sign (signed feature hashing), so unrelated texts have a
 * cosine around 0, give or take 1/sqrt(dimensions). A feature that occurs n times counts sqrt(n).
 * When the text has several lines, the first one, if short, is taken as its heading. Equal texts give
 * equal vectors on every machine: only integer arithmetic, addition and square roots are used.
 */
export class LexicalEmbeddingProvider implements EmbeddingProvider {
  readonly provider = 'lexical';
  /** The number goes up when the same text gets another vector: it is a new embedding space then. */
  readonly model = 'hashed-terms-1';
  readonly maxTextsPerCall = 32;
  readonly maxParallelCalls = 1;
  private readonly features = new Map<string, TokenFeatures>();
  /** Empty between two texts. */
  private readonly counts = new FeatureCounts();

  private constructor(private readonly size: number) {}

  static create(options: LexicalEmbeddingOptions = {}): LexicalEmbeddingProvider {
    return new LexicalEmbeddingProvider(options.dimensions ?? DEFAULT_DIMENSIONS);
  }

  async dimensions(): Promise<number> {
    return this.size;
  }

  async embed(texts: readonly string[], { signal }: EmbedOptions): Promise<EmbedResult> {
    signal?.throwIfAborted();
    const vectors = texts.map(text => this.vectorOf(text));
    // Required because the work is synchronous: without it a long index would starve all requests.
    await nextTurn();
    return { vectors };
  }

  async check(): Promise<void> {}

  private vectorOf(text: string): Float32Array {
    const sums = new Float64Array(this.size);
    this.countFeatures(normaliseText(text));
    this.counts.drain((id, count) => {
      const position = (id >>> (KIND_BITS + 1)) % this.size;
      const weight = Math.sqrt(count) * WEIGHTS[kindOf(id)];
      sums[position] = (sums[position] ?? 0) + ((id >>> KIND_BITS) & 1 ? weight : -weight);
    });
    return unitVector(sums) ?? this.vectorOfSymbols(text);
  }

  private countFeatures(normalised: string): void {
    const tokens = new Map<TokenFeatures, number>();
    const headingEnd = endOfHeading(normalised);
    let previous: number | undefined;
    for (const { raw, index } of findTokens(normalised)) {
      const times = index < headingEnd ? HEADING_WEIGHT : 1;
      const features = this.featuresOf(raw);
      tokens.set(features, (tokens.get(features) ?? 0) + times);
      if (features.pairable.length === 0) previous = undefined;
      for (const word of features.pairable) {
        if (previous !== undefined) {
          this.counts.add(featureId(Kind.Pair, Math.imul(previous, 31) ^ word), times);
        }
        previous = word;
      }
    }
    for (const [{ ids }, times] of tokens) {
      for (const id of ids) this.counts.add(id, times);
    }
  }

  private featuresOf(raw: string): TokenFeatures {
    const cached = this.features.get(raw);
    if (cached) return cached;
    if (this.features.size >= MAX_CACHED_TOKENS) this.features.clear();
    const features = makeFeatures(raw);
    if (raw.length <= MAX_WORD_LENGTH) {
      // A copy, because a piece of a string can keep the whole string in memory.
      this.features.set(Buffer.from(raw).toString(), features);
    }
    return features;
  }

  /** No store takes a zero vector, so a text without any term gets one from its bare characters. */
  private vectorOfSymbols(text: string): Float32Array {
    const vector = new Float32Array(this.size);
    vector[(fnv1a(text.trim()) >>> 0) % this.size] = 1;
    return vector;
  }
}

function makeFeatures(raw: string): TokenFeatures {
  const features: TokenFeatures = { ids: [], pairable: [] };
  const { words, identifier } = termsOf(raw);
  if (identifier !== undefined) features.ids.push(featureId(Kind.Identifier, fnv1a(identifier)));
  for (const word of words) {
    if (isFunctionWord(word)) {
      features.ids.push(featureId(Kind.FunctionWord, fnv1a(word)));
      continue;
    }
    const id = featureId(Kind.Word, fnv1a(word));
    features.ids.push(id);
    features.pairable.push(id);
    if (word.length > MAX_WORD_LENGTH) continue;
    const framed = `^${word}$`;
    for (let start = 0; start + N_GRAM_LENGTH <= framed.length; start++) {
      const nGram = framed.slice(start, start + N_GRAM_LENGTH);
      features.ids.push(featureId(Kind.NGram, fnv1a(nGram)));
    }
  }
  return features;
}

/** A well mixed hash with the kind in its low bits. */
function featureId(kind: Kind, hash: number): number {
  const mixed = mix(hash ^ (kind << (32 - KIND_BITS)));
  return (mixed & -(2 ** KIND_BITS)) | kind;
}

function kindOf(id: number): Kind {
  return id & (2 ** KIND_BITS - 1);
}

/** 0 when the first line is no heading. */
function endOfHeading(text: string): number {
  const end = text.indexOf('\n');
  return end > MAX_HEADING_LENGTH || text.trim().length <= end ? 0 : Math.max(end, 0);
}

function unitVector(sums: Float64Array): Float32Array | undefined {
  let squares = 0;
  for (const sum of sums) squares += sum * sum;
  if (squares === 0) return undefined;
  const norm = Math.sqrt(squares);
  const vector = new Float32Array(sums.length);
  for (let i = 0; i < sums.length; i++) vector[i] = (sums[i] ?? 0) / norm;
  return vector;
}

/** FNV-1a over UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}

/** The finaliser of MurmurHash3: FNV-1a alone leaves short texts with similar bits. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
