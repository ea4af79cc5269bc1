import { DEFAULT_NAMESPACE, type Entity, parseEntityRef } from '@backstage/catalog-model';
import type { RelatedEntities } from './relations';

/**
 * A longer list is told in several sentences, so that each part of it says whom it is about. With ten
 * names of ten tokens a sentence fits into a chunk of 200 tokens.
 */
const NAMES_IN_A_SENTENCE = 10;

/** Tells a relation of `subject` to `targets`, with the words that people ask by. */
type Phrase = (subject: string, targets: string, isOne: boolean) => string;

/**
 * A sentence says the relation in several words: without a model that knows meanings, "Who maintains it?" is
 * answered by a text that says "maintains" only.
 */
const PHRASES: Record<string, { heading: string; phrase: Phrase }> = {
  ownedBy: {
    heading: 'owner',
    phrase: (subject, targets, isOne) =>
      `${subject} is owned by ${targets}, which ${isOne ? 'maintains it and is' : 'maintain it and are'} responsible for it`,
  },
  ownerOf: {
    heading: 'owns',
    phrase: (subject, targets, isOne) =>
      `${subject} owns ${targets}, maintains ${isOne ? 'it' : 'them'} and is responsible for ${isOne ? 'it' : 'them'}`,
  },
  partOf: {
    heading: 'part of',
    phrase: (subject, targets) => `${subject} is part of ${targets}, to which it belongs`,
  },
  hasPart: {
    heading: 'parts',
    phrase: (subject, targets, isOne) =>
      `${subject} consists of ${isOne ? 'this part, which belongs' : 'these parts, which belong'} to it: ${targets}`,
  },
  dependsOn: {
    heading: 'depends on',
    phrase: (subject, targets) =>
      `${subject} depends on ${targets}, which it needs, uses and relies on`,
  },
  dependencyOf: {
    heading: 'dependency of',
    phrase: (subject, targets, isOne) =>
      `${subject} is a dependency of ${targets}, which ${isOne ? 'depends' : 'depend'} on ${subject}, ${isOne ? 'uses it and is' : 'use it and are'} affected when it is down or changes`,
  },
  providesApi: {
    heading: 'provides',
    phrase: (subject, targets) => `${subject} provides ${targets}`,
  },
  apiProvidedBy: {
    heading: 'provided by',
    phrase: (subject, targets, isOne) =>
      `${subject} is provided by ${targets}, which ${isOne ? 'provides' : 'provide'} ${subject}`,
  },
  consumesApi: {
    heading: 'consumes',
    phrase: (subject, targets) => `${subject} consumes and uses ${targets}`,
  },
  apiConsumedBy: {
    heading: 'consumed by',
    phrase: (subject, targets, isOne) =>
      `${subject} is consumed by ${targets}, which ${isOne ? 'consumes and uses' : 'consume and use'} ${subject}`,
  },
  memberOf: {
    heading: 'member of',
    phrase: (subject, targets) => `${subject} is a member of ${targets}`,
  },
  hasMember: {
    heading: 'members',
    phrase: (subject, targets, isOne) =>
      `${subject} has ${isOne ? 'this member' : 'these members'}: ${targets}`,
  },
  parentOf: {
    heading: 'parent of',
    phrase: (subject, targets) => `${subject} is the parent of ${targets}`,
  },
  childOf: {
    heading: 'child of',
    phrase: (subject, targets) => `${subject} is a child of ${targets}`,
  },
};

/** What a relation is called in a heading: `depends on`. */
export function relationHeading(type: string): string {
  return PHRASES[type]?.heading ?? wordsOf(type);
}

/** Whole sentences, each naming the subject: `auth-db is a dependency of the component login, ...`. */
export function relationSentences(
  { kind, metadata }: Entity,
  { type, targets }: RelatedEntities,
): string[] {
  // Asked for by what it is: "what is part of the system checkout?"
  const subject = type === 'hasPart' ? `The ${kindWords(kind)} ${metadata.name}` : metadata.name;
  const phrase = PHRASES[type]?.phrase ?? ((name, list) => `${name}, ${wordsOf(type)}: ${list}`);
  const sentences: string[] = [];
  for (let start = 0; start < targets.length; start += NAMES_IN_A_SENTENCE) {
    const some = targets.slice(start, start + NAMES_IN_A_SENTENCE);
    sentences.push(`${phrase(subject, listOf(some), some.length === 1)}.`);
  }
  return sentences;
}

/** `the components argo-cd and aws, and the system roadie`. */
function listOf(targets: string[]): string {
  const byKind = new Map<string, string[]>();
  for (const target of targets) {
    const { kind, name } = describe(target);
    byKind.set(kind, [...(byKind.get(kind) ?? []), name]);
  }
  const groups = [...byKind].map(([kind, names]) =>
    kind === ''
      ? enumerate(names)
      : `the ${names.length > 1 ? plural(kind) : kind} ${enumerate(names)}`,
  );
  return groups.join('; ');
}

/** The bare name, and the whole reference where the name alone would be ambiguous. */
function describe(target: string): { kind: string; name: string } {
  try {
    const { kind, namespace, name } = parseEntityRef(target);
    const isDefault = namespace.toLowerCase() === DEFAULT_NAMESPACE;
    return {
      kind: kindWords(kind),
      name: isDefault ? name : `${name} (${kind}:${namespace}/${name})`,
    };
  } catch {
    return { kind: '', name: target };
  }
}

function enumerate(names: string[]): string {
  return names.length > 1
    ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
    : (names[0] ?? '');
}

/** `API`, but `component` and `feature flag`. */
export function kindWords(kind: string): string {
  return kind.toLowerCase() === 'api' ? 'API' : wordsOf(kind);
}

function plural(noun: string): string {
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}

/** `managedBy` is `managed by`. */
function wordsOf(identifier: string): string {
  return identifier.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
}
