import { ANNOTATION_SOURCE_LOCATION, ANNOTATION_VIEW_URL, type Entity } from '@backstage/catalog-model';
import { entityNameOf } from '../entities';
import { kindWords, relationSentences } from './relationSentences';
import type { RelatedEntities } from './relations';

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
    ...relations.flatMap(related => relationSentences(name, related)),
    ...(metadata.tags?.length ? [`${name} is tagged ${metadata.tags.join(', ')}.`] : []),
    ...labelFacts(entity),
    ...profileFacts(entity),
    ...annotationFacts(entity),
  ];
  return [introductionOf(entity), facts.map(fact => `- ${fact}`).join('\n'), description?.trim()]
    .filter(Boolean)
    .join('\n\n');
}

/** `Payments API (payments-api) is a production service: a component of type service, ...`. */
function introductionOf(entity: Entity): string {
  const { metadata, kind } = entity;
  const displayName = entityNameOf(entity);
  const name = displayName === metadata.name ? metadata.name : `${displayName} (${metadata.name})`;
  const namespace = metadata.namespace?.toLowerCase() ?? 'default';
  const type = specText(entity, 'type');
  const lifecycle = specText(entity, 'lifecycle');
  const details = [
    type && `of type ${type}`,
    lifecycle && `with the lifecycle ${lifecycle}`,
    namespace !== 'default' && `in the namespace ${metadata.namespace}`,
  ].filter(Boolean);
  const noun = kindWords(kind);
  const summary = [lifecycle, type === 'API' ? undefined : type].filter(Boolean).join(' ');
  const what = details.length > 0 ? `${article(noun)} ${noun} ${details.join(' ')}` : `${article(noun)} ${noun}`;
  return lifecycle && type ? `${name} is ${article(summary)} ${summary}: ${what}.` : `${name} is ${what}.`;
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
    typeof profile === 'object' && profile !== null && 'email' in profile ? profile.email : undefined;
  return typeof email === 'string' && email !== '' ? [`The e-mail address of ${metadata.name} is ${email}`] : [];
}

function annotationFacts({ metadata }: Entity): string[] {
  const annotations = metadata.annotations ?? {};
  const source = annotations[ANNOTATION_SOURCE_LOCATION];
  const viewUrl = annotations[ANNOTATION_VIEW_URL];
  return [
    // `file:` is a path on the machine of the catalog: of no use to a reader.
    ...(source?.startsWith('url:') ? [`The source code of ${metadata.name} is at ${source.slice(4)}`] : []),
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

function article(noun: string): string {
  return /^[aeiou]/i.test(noun) ? 'an' : 'a';
}
