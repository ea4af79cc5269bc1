import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import { mulberry32 } from '../../bench/vectors';
import { type CatalogTemplate, TEMPLATES } from './catalogTemplates';

/** What is read of an entity, as the catalog's API gives it. */
export interface CatalogEntity {
  kind: string;
  metadata: { name: string; namespace?: string; title?: string; tags?: string[] };
  spec?: { type?: string; lifecycle?: string };
  relations?: { type: string; targetRef: string }[];
}

/** A fact that the catalog states, and what it is told with. */
interface CatalogFact {
  /** Which fact is asked for, in which direction: `owner`, `owns`, `depends on`, ... */
  style: string;
  /** For the placeholders of a wording. */
  values: Record<string, string>;
  title?: string;
  /** The entity that is asked about. */
  subject?: string;
  /** The entities that are the answer. */
  answers: string[];
  /** Tags of which one must be named. */
  tags?: string[];
}

/** A question whose answer the catalog states. */
export interface CatalogQuestion
  extends Pick<CatalogFact, 'style' | 'subject' | 'answers' | 'tags'> {
  id: string;
  question: string;
  /** Whether nothing was tuned on questions of this wording. */
  isHeldOut: boolean;
}

/** People use an entity's title in this share of the questions, where it has one, else its name. */
const TITLE_SHARE = 0.25;

/** The relations that are asked for, and what such a question is called. */
const RELATIONS: Record<string, string> = {
  ownedBy: 'owner',
  ownerOf: 'owns',
  dependsOn: 'depends on',
  dependencyOf: 'dependency of',
  partOf: 'part of',
  hasPart: 'has part',
};

/**
 * Questions about the facts of a catalog, as many of each style as there are, the facts drawn by the seed.
 * Locations and users are not asked about: they are not indexed.
 */
export function catalogQuestions(
  entities: readonly CatalogEntity[],
  { count, seed = 1 }: { count: number; seed?: number },
): CatalogQuestion[] {
  const random = mulberry32(seed);
  const indexed = entities.filter(({ kind }) => !/^(?:location|user)$/i.test(kind));
  const facts = [...relationFacts(indexed), ...tagFacts(indexed), ...tagsOfEntities(indexed)];
  const byStyle = [...groupBy(facts, ({ style }) => style).values()].map(list =>
    shuffled(list, random),
  );
  const drawn: CatalogQuestion[] = [];
  for (let round = 0; byStyle.some(list => round < list.length); round++) {
    for (const list of byStyle) {
      const fact = list[round];
      if (fact && drawn.length < count) {
        drawn.push(ask(fact, { round, number: drawn.length + 1, random }));
      }
    }
  }
  return drawn;
}

/** Whether a hit states the fact: it is of the entity asked about or of an answer, and names the other. */
export function statesFact(
  { subject, answers, tags }: CatalogQuestion,
  { entityId, content, metadata }: DocumentChunk,
): boolean {
  const text = content.toLowerCase();
  const isOfBoth = entityId === subject || answers.includes(entityId);
  if (metadata.source !== 'catalog' || !isOfBoth) {
    return false;
  }
  if (tags) {
    return tags.some(tag => text.includes(tag));
  }
  const others = entityId === subject ? answers : [subject ?? ''];
  return others.some(other => text.includes(nameOf(other)));
}

function relationFacts(entities: readonly CatalogEntity[]): CatalogFact[] {
  const known = new Set(entities.map(refOf));
  return entities.flatMap(entity =>
    Object.entries(RELATIONS).flatMap(([relation, style]) => {
      const answers = (entity.relations ?? [])
        .filter(({ type }) => type === relation)
        .map(({ targetRef }) => targetRef.toLowerCase())
        .filter(target => known.has(target));
      return answers.length > 0 ? [{ style, ...about(entity), answers }] : [];
    }),
  );
}

/** Which entities have a tag, and which of those that are, say, production services. */
function tagFacts(entities: readonly CatalogEntity[]): CatalogFact[] {
  const tagged = entities.flatMap(entity =>
    (entity.metadata.tags ?? []).map(tag => ({ tag, entity })),
  );
  const factOf = (style: string, list: typeof tagged, values: Record<string, string>) => ({
    style,
    values,
    answers: list.map(({ entity }) => refOf(entity)),
    tags: [values.tag?.toLowerCase() ?? ''],
  });
  return [...groupBy(tagged, ({ tag }) => tag)].flatMap(([tag, list]) => [
    factOf('tagged', list, { tag }),
    ...[...groupBy(list, ({ entity }) => kindWithLifecycle(entity))].flatMap(([group, some]) =>
      group === undefined ? [] : [factOf('tagged, of a kind', some, { tag, group })],
    ),
  ]);
}

function tagsOfEntities(entities: readonly CatalogEntity[]): CatalogFact[] {
  return entities.flatMap(entity => {
    const tags = (entity.metadata.tags ?? []).map(tag => tag.toLowerCase());
    return tags.length > 0 ? [{ style: 'tags of', ...about(entity), answers: [], tags }] : [];
  });
}

function about(entity: CatalogEntity): Pick<CatalogFact, 'values' | 'title' | 'subject'> {
  const { kind, metadata } = entity;
  return {
    values: { s: metadata.name, kind: kind === 'API' ? kind : kind.toLowerCase() },
    title: metadata.title,
    subject: refOf(entity),
  };
}

/** `production services`. */
function kindWithLifecycle({ spec }: CatalogEntity): string | undefined {
  return spec?.type && spec.lifecycle
    ? `${spec.lifecycle} ${spec.type.replace(/([^aeiou])y$/, '$1ie')}s`
    : undefined;
}

function ask(
  { values, title, ...fact }: CatalogFact,
  { round, number, random }: { round: number; number: number; random: () => number },
): CatalogQuestion {
  const templates = TEMPLATES[fact.style] ?? [];
  const { text, isHeldOut = false } = templates[round % templates.length] as CatalogTemplate;
  const isByTitle = title !== undefined && random() < TITLE_SHARE;
  const filled: Record<string, string> = isByTitle ? { ...values, s: title } : values;
  return {
    ...fact,
    id: `c${String(number).padStart(3, '0')}`,
    question: text.replace(/\{(\w+)\}/g, (_, key: string) => filled[key] ?? ''),
    isHeldOut,
  };
}

function refOf({ kind, metadata }: CatalogEntity): string {
  return `${kind}:${metadata.namespace ?? 'default'}/${metadata.name}`.toLowerCase();
}

function nameOf(entityRef: string): string {
  return entityRef.slice(entityRef.indexOf('/') + 1);
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  }
  return groups;
}
