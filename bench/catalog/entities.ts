import {
  ANNOTATION_LOCATION,
  ANNOTATION_ORIGIN_LOCATION,
  ANNOTATION_SOURCE_LOCATION,
  type Entity,
  type EntityLink,
} from '@backstage/catalog-model';
import type { JsonObject } from '@backstage/types';
import { DOMAINS, PARTS, type Prose, proseOf } from './prose';

/** What the generated entities name as their origin. */
const LOCATION = 'url:https://git.example.org/catalog/generated/all.yaml';

type Kind = 'Group' | 'System' | 'Resource' | 'API' | 'Component';

/** Entities come in blocks of so many, each with all kinds. */
const BLOCK = 100;

/** Where the entities of a kind lie in a block: from, and up to but without. */
const PLACES: Record<Kind, [number, number]> = {
  Group: [0, 2],
  System: [2, 6],
  Resource: [6, 20],
  API: [20, 40],
  Component: [40, BLOCK],
};

const KINDS = Object.keys(PLACES) as Kind[];

const TAGS = ['java', 'go', 'typescript', 'kafka', 'postgresql', 'pci', 'internal', 'tier-1'];
const LIFECYCLES = ['production', 'experimental', 'deprecated'];

/**
 * A catalog as a large organisation has it: teams that own systems, components that provide and consume
 * APIs and depend on resources, with up to three paragraphs on each. Equal counts give equal entities.
 * References lead to entities that are there, if there is a whole block.
 */
export function generateEntities(count: number): Entity[] {
  return Array.from({ length: count }, (_, index) => entityAt(index, count));
}

function entityAt(index: number, count: number): Entity {
  const kind = kindOf(index);
  const prose = proseOf(index);
  const name = nameOf(index);
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind,
    metadata: {
      name,
      title: `${prose.pick(DOMAINS)} ${prose.pick(PARTS)} ${index}`,
      description: Array.from({ length: prose.below(4) }, () =>
        prose.paragraph(1 + prose.below(2)),
      ).join('\n\n'),
      annotations: {
        [ANNOTATION_LOCATION]: LOCATION,
        [ANNOTATION_ORIGIN_LOCATION]: LOCATION,
        ...(index % 4 === 0 && sourceOf(name)),
      },
      ...(index % 2 === 0 && { labels: { region: prose.pick(['eu', 'us', 'ap']) } }),
      tags: prose.pickSome(TAGS, 3),
      ...(index % 3 === 0 && { links: linksOf(name) }),
    },
    spec: specOf(kind, index, count, prose),
  };
}

function specOf(kind: Kind, index: number, count: number, prose: Prose): JsonObject {
  const some = (of: Kind, most: number) => refsOf(of, prose.below(most + 1), count, prose);
  const owner = refsOf('Group', 1, count, prose)[0] as string;
  const lifecycle = prose.pick(LIFECYCLES);
  switch (kind) {
    case 'Group':
      return { type: 'team', children: [], profile: { email: `team-${index}@example.org` } };
    case 'System':
      return { owner };
    case 'Resource':
      return { type: prose.pick(['database', 'topic', 'bucket']), owner };
    case 'API':
      return { type: 'openapi', lifecycle, owner, definition: definitionOf(index, prose) };
    case 'Component': {
      const [system] = some('System', 1);
      return {
        type: prose.pick(['service', 'website', 'library']),
        lifecycle,
        owner,
        ...(system !== undefined && { system }),
        providesApis: some('API', 2),
        consumesApis: some('API', 2),
        dependsOn: [...some('Resource', 2), ...some('Component', 2)],
      };
    }
  }
}

function sourceOf(name: string): Record<string, string> {
  return {
    [ANNOTATION_SOURCE_LOCATION]: `url:https://git.example.org/software/${name}/`,
    'github.com/project-slug': `software/${name}`,
  };
}

function linksOf(name: string): EntityLink[] {
  return [
    { title: 'Dashboard', url: `https://dashboards.example.org/d/${name}` },
    { title: 'Runbook', url: `https://runbooks.example.org/${name}`, type: 'runbook' },
  ];
}

/** Short for one half of the APIs, with several operations for the other. */
function definitionOf(index: number, prose: Prose): string {
  const operations = index % 2 === 0 ? 1 : 4;
  const paths = Array.from({ length: operations }, (_, operation) =>
    [
      `  /${prose.pick(DOMAINS)}/${operation}/{id}:`,
      '    get:',
      `      operationId: read${index}x${operation}`,
      `      summary: ${JSON.stringify(prose.sentence())}`,
      '      responses:',
      "        '200':",
      `          description: ${JSON.stringify(prose.sentence())}`,
    ].join('\n'),
  );
  const info = `info:\n  title: ${nameOf(index)}\n  version: 1.${prose.below(50)}.0`;
  return ['openapi: 3.0.3', info, 'paths:', ...paths, ''].join('\n');
}

/** References to at most so many entities of a kind, each of them once. */
function refsOf(kind: Kind, most: number, count: number, prose: Prose): string[] {
  const [from, to] = PLACES[kind];
  const refs = Array.from({ length: most }, () => {
    const place = from + prose.below(to - from);
    const index = prose.below(Math.ceil(count / BLOCK)) * BLOCK + place;
    return `${kind.toLowerCase()}:default/${nameOf(index < count ? index : place)}`;
  });
  return [...new Set(refs)];
}

function kindOf(index: number): Kind {
  const place = index % BLOCK;
  return KINDS.find(kind => place < PLACES[kind][1]) as Kind;
}

function nameOf(index: number): string {
  const { pick } = proseOf(index);
  return `${pick(DOMAINS)}-${pick(PARTS)}-${index}`;
}
