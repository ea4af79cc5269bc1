import type { DocumentSource, SearchFilter } from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from '../vectorStore';
import type { Random } from './random';
import { sample } from './samples';
import { DIMENSIONS } from './suite';

/** Pieces that texts are made of: harmless ones, and what breaks encodings, escapes and queries. */
const PIECES = [
  ...['pet', 'store', 'rollback', 'backend.auth', 'ERR_X', ' ', '\n', '-', '0'],
  ...["'", "''", '"', '`', '\\', '\\\\', '\\x00', '\\u0000', "'; DROP TABLE embeddings; --"],
  ...['$1', '$x', '{}', '{a,b}', '[1,2]', 'NULL', 'NaN', '%', '_', ':*', '&', '|', '!', '<->', '('],
  ...[
    'é',
    'e\u0301',
    'ß',
    'İ',
    '日本',
    'العربية',
    '🚀',
    '👩‍👩‍👧',
    '\u200b',
    '\ufeff',
    '\uffff',
    '\u2028',
  ],
  ...['\u0001', '\b', '\t', '\u001f', '\u007f', '\u0085'],
];

/** What no store can hold. */
const UNSTORABLE_PIECES = ['\0', '\ud83d', '\ude80', '\udbff'];

const EXTREME_NUMBERS = [
  ...[0, -0, 1, -1, 0.1, 1e-3, 1e3],
  ...[1e-15, 1e-19, 1e-20, 1e-30, 1.2e-38, 1e-40, 1e-45, 1e-46, 1e-50, Number.MIN_VALUE],
  ...[1e15, 1e18, 1e19, 1e20, 1e30, 3.4028234e38, 3.4028236e38, 1e39, 1e200, Number.MAX_VALUE],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

const POSITIONS = [0, 1, 7, 2 ** 31 - 1, 2 ** 31, -1, 0.5, 1e21, Number.NaN];

/** Few, so that inputs meet each other. */
const ENTITY_IDS = ['component:default/a', 'api:team/b', 'Resource:Default/C', 'plain', 'x:y:z/w'];

const MEGABYTE = 1_000_000;

/** At the start of a text it is no part of it: decoders such as PGlite's leave it out. */
const BYTE_ORDER_MARK = /^\ufeff+/;

/** How often a text holds something that can't be stored. */
const UNSTORABLE_SHARE = 0.02;

export function randomText(random: Random): string {
  const length = random.integer(8);
  const pieces = Array.from({ length }, () => random.pick(PIECES));
  if (random.chance(UNSTORABLE_SHARE)) {
    pieces.splice(random.integer(length + 1), 0, random.pick(UNSTORABLE_PIECES));
  }
  return pieces.join('').replace(BYTE_ORDER_MARK, '');
}

function randomContent(random: Random): string {
  const text = randomText(random);
  return random.chance(0.02) && text !== '' ? text.repeat(Math.ceil(MEGABYTE / text.length)) : text;
}

/** @param known - one of them is taken now and then. */
export function randomId(random: Random, known: readonly string[]): string {
  if (known.length > 0 && random.chance(0.3)) {
    return random.pick(known);
  }
  const id = `${random.integer(1_000)}${randomText(random)}`;
  return random.chance(0.02) ? id.padEnd(random.pick([340, 1_000, 3_000, 9_000]), 'é') : id;
}

export function randomEntityId(random: Random): string {
  return random.chance(0.7) ? random.pick(ENTITY_IDS) : randomText(random);
}

export function randomSource(random: Random): DocumentSource {
  return random.pick(['catalog', 'techdocs'] as const);
}

export function randomVector(random: Random): ArrayLike<number> {
  const dimensions = random.chance(0.03) ? random.integer(2 * DIMENSIONS) : DIMENSIONS;
  const numbers = random.vector(dimensions);
  if (random.chance(0.3)) {
    const isAllExtreme = random.chance(0.3);
    numbers.forEach((_, index) => {
      if (isAllExtreme || random.chance(0.2)) {
        numbers[index] = random.pick(EXTREME_NUMBERS);
      }
    });
  }
  return random.chance(0.5) ? numbers : Float32Array.from(numbers);
}

export function randomEmbedding(random: Random, knownIds: readonly string[]): EmbeddingVector {
  const id = randomId(random, knownIds);
  return sample(id, {
    chunkId: random.chance(0.8) ? id : randomText(random),
    vector: randomVector(random),
    entityId: randomEntityId(random),
    entityName: randomText(random),
    content: randomContent(random),
    source: random.chance(0.02) ? ('wiki' as DocumentSource) : randomSource(random),
    chunkIndex: random.chance(0.1) ? random.pick(POSITIONS) : random.integer(100),
    totalChunks: random.chance(0.1) ? random.pick(POSITIONS) : random.integer(100),
    title: random.chance(0.5) ? randomText(random) : undefined,
    location: random.chance(0.5) ? randomText(random) : undefined,
  });
}

export function randomFilter(random: Random): string | SearchFilter | undefined {
  if (random.chance(0.3)) {
    return random.chance(0.5) ? randomEntityId(random) : undefined;
  }
  const texts = (make: () => string) =>
    random.chance(0.3) ? Array.from({ length: random.integer(4) }, make) : undefined;
  return {
    entityIds: texts(() => randomEntityId(random)),
    kinds: texts(() => random.pick(['component', 'API', '', randomText(random)])),
    namespaces: texts(() => random.pick(['default', 'TEAM', '', randomText(random)])),
    sources: random.chance(0.2) ? [randomSource(random)] : undefined,
    minSimilarity: random.chance(0.2) ? random.pick([...EXTREME_NUMBERS, 0.5]) : undefined,
  };
}

export function randomTopK(random: Random): number {
  return random.chance(0.8) ? random.integer(20) : random.pick([...EXTREME_NUMBERS, ...POSITIONS]);
}
