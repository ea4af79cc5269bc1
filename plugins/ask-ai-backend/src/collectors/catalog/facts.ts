import {
  ANNOTATION_SOURCE_LOCATION,
  ANNOTATION_VIEW_URL,
  DEFAULT_NAMESPACE,
  type Entity,
} from '@backstage/catalog-model';
import { entityNameOf } from '../entities';
import { kindWords, relationHeading, relationSentences } from './relationSentences';
import type { RelatedEntities } from './relations';

/**
 * What the facts are called. It holds the words of the questions that they answer: who owns it, which
 * entities are tagged so, which services are experimental.
 */
export function factsHeading(entity: Entity, relations: RelatedEntities[]): string {
  const facts = [
    ...relations.map(({ type }) => relationHeading(type)),
    ...(entity.metadata.tags?.length ? ['tags'] : []),
    ...(entity.metadata.labels ? ['labels'] : []),
  ];
  const kind = descriptiveKind(entity);
  return `Entity ${kind}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}`;
}

/** Annotations that name the entity elsewhere: `github.com/project-slug`, `jira/project-key`. */
const NAMES_ELSEWHERE = /\/(?:project-slug|project-key|project-repo|project-id|team-slug)$/;

/**
 * What an entity is, in sentences that name it: an answer quotes single sentences, and a search must
 * find them without their surroundings.
 *
 * @param relations - those that belong to the facts: who owns it, what it is part of.
 */
export function factsOf(entity: Entity, relations: RelatedEntities[]): string {
  const { metadata } = entity;
  const { name, description } = metadata;
  const facts = [
    ...relations.flatMap(related => relationSentences(entity, related)),
    ...(metadata.tags?.length
      ? [`${name} is tagged (labelled, marked): ${metadata.tags.join(', ')}.`]
      : []),
    ...labelFacts(entity),
    ...profileFacts(entity),
    ...annotationFacts(entity),
  ];
  return [introductionOf(entity), facts.map(fact => `- ${fact}`).join('\n'), description?.trim()]
    .filter(Boolean)
    .join('\n\n');
}

/** `Payments Service (payments-service) is a production service (component).` */
function introductionOf(entity: Entity): string {
  const { name, namespace = DEFAULT_NAMESPACE } = entity.metadata;
  const displayName = entityNameOf(entity);
  const who = displayName === name ? name : `${displayName} (${name})`;
  const what = descriptiveKind(entity);
  const where =
    namespace.toLowerCase() === DEFAULT_NAMESPACE ? '' : ` in the namespace ${namespace}`;
  return `${who} is ${/^[aeiou]/i.test(what) ? 'an' : 'a'} ${what}${where}.`;
}

/** `production service (component)`, `deprecated graphql API`, `system`. */
function descriptiveKind(entity: Entity): string {
  const kind = kindWords(entity.kind);
  const type = specText(entity, 'type');
  const noun = type === undefined ? kind : kind === 'API' ? `${type} API` : `${type} (${kind})`;
  return [specText(entity, 'lifecycle'), noun].filter(Boolean).join(' ');
}

function labelFacts({ metadata }: Entity): string[] {
  const labels = Object.entries(metadata.labels ?? {});
  return labels.length > 0
    ? [`Labels of ${metadata.name}: ${labels.map(([key, value]) => `${key}=${value}`).join(', ')}.`]
    : [];
}

function profileFacts({ metadata, spec }: Entity): string[] {
  const profile = spec?.profile;
  const email =
    typeof profile === 'object' && profile !== null && 'email' in profile
      ? profile.email
      : undefined;
  return typeof email === 'string' && email !== ''
    ? [`The e-mail address of ${metadata.name} is ${email}`]
    : [];
}

function annotationFacts({ metadata }: Entity): string[] {
  const annotations = metadata.annotations ?? {};
  const source = annotations[ANNOTATION_SOURCE_LOCATION];
  const viewUrl = annotations[ANNOTATION_VIEW_URL];
  return [
    // `file:` is a path on the machine of the catalog: of no use to a reader.
    ...(source?.startsWith('url:')
      ? [`The source code of ${metadata.name} is at ${source.slice(4)}`]
      : []),
    ...(viewUrl ? [`The entity file of ${metadata.name} is at ${viewUrl}`] : []),
    ...Object.entries(annotations)
      .filter(([key]) => NAMES_ELSEWHERE.test(key))
      .map(([key, value]) => `${key} of ${metadata.name}: ${value}`),
  ];
}

function specText({ spec }: Entity, field: string): string | undefined {
  const value = spec?.[field];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
