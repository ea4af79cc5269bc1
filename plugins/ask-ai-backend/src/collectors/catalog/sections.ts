import type { Entity } from '@backstage/catalog-model';
import type { DocumentSection } from 'backstage-plugin-ask-ai-node';
import { longerRun } from '../../lib/longerRun';
import { routeOf } from '../entities';
import { factsHeading, factsOf } from './facts';
import { relationHeading, relationSentences } from './relationSentences';
import { relationsOf } from './relations';
import { templateSections } from './template';

/** Relations that belong to what an entity is; the others are a section of their own. */
const RELATIONS_AMONG_FACTS = new Set(['ownedBy', 'partOf']);

/** How the languages of API definitions are marked in a fence. */
const API_LANGUAGES: Record<string, string> = {
  graphql: 'graphql',
  grpc: 'protobuf',
  trpc: 'typescript',
};

/** An entity as a document: what it is, its relations, its API, its links. */
export function sectionsOf(entity: Entity): DocumentSection[] {
  const location = `/catalog/${routeOf(entity)}`;
  const relations = relationsOf(entity);
  const facts = relations.filter(({ type }) => RELATIONS_AMONG_FACTS.has(type));
  const others = relations.filter(({ type }) => !RELATIONS_AMONG_FACTS.has(type));
  const sections = [
    { heading: factsHeading(entity, facts), text: factsOf(entity, facts) },
    {
      heading: `Relations: ${others.map(({ type }) => relationHeading(type)).join(', ')}`,
      text: others
        .flatMap(related => relationSentences(entity, related))
        .map(sentence => `- ${sentence}`)
        .join('\n'),
    },
    ...templateSections(entity),
    { heading: 'API definition', text: apiDefinition(entity) },
    { heading: 'Links', text: linksOf(entity) },
  ];
  return sections
    .filter(({ text }) => text !== '')
    .map(({ heading, text }) => ({ headingPath: [heading], text, location }));
}

function apiDefinition({ metadata, spec }: Entity): string {
  const definition = spec?.definition;
  if (typeof definition !== 'string' || definition.trim() === '') {
    return '';
  }
  const type = typeof spec?.type === 'string' ? spec.type : 'API';
  const language =
    API_LANGUAGES[type] ?? (definition.trimStart().startsWith('{') ? 'json' : 'yaml');
  const fence = longerRun(definition, '`', 3);
  return `The ${type} definition of ${metadata.name}:\n\n${fence}${language}\n${definition.trimEnd()}\n${fence}`;
}

function linksOf({ metadata }: Entity): string {
  const links = metadata.links ?? [];
  const lines = links.map(
    ({ title, url, type }) => `- ${title ?? 'Link'}${type ? ` (${type})` : ''}: ${url}`,
  );
  return lines.length > 0 ? `Links of ${metadata.name}:\n\n${lines.join('\n')}` : '';
}
