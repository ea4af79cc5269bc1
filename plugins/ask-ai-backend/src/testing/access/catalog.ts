import type { Entity } from '@backstage/catalog-model';
import { createRandom } from './random';

const WORDS = (
  'payment refund invoice ledger basket checkout shipping parcel label warehouse stock picking courier tracking ' +
  'customer login token session password profile address consent newsletter voucher discount price tax currency ' +
  'search ranking catalog review rating image video thumbnail cache queue topic broker schedule report dashboard ' +
  'metric alert incident backup archive export import migration gateway proxy balancer certificate secret vault'
).split(' ');

const TIERS = ['public', 'internal', 'secret'] as const;
const KINDS = ['Component', 'Component', 'Component', 'API', 'Resource', 'System'] as const;

/** Words that descriptions consist of, and questions can ask for. */
export const vocabulary: readonly string[] = WORDS;

/** Teams own the entities in turn. */
export const TEAMS = 10;

/** What only the text of one entity holds. */
export function codenameOf(index: number): string {
  return `zq${index.toString(36).padStart(4, '0')}x`;
}

/** Entities of several kinds, teams, tiers and namespaces, each with words of its own. */
export function manyEntities(count: number): Entity[] {
  const random = createRandom(7);
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length] ?? 'Component';
    const words = Array.from({ length: 8 }, () => random.pick(WORDS));
    return {
      apiVersion: 'backstage.io/v1alpha1',
      kind,
      metadata: {
        name: `entity-${index}`,
        namespace: index % 5 === 0 ? 'lab' : 'default',
        description: `The ${words.slice(0, 4).join(' ')} work. Codename ${codenameOf(index)}. It does ${words.slice(4).join(' and ')}.`,
        labels: { tier: TIERS[index % TIERS.length] ?? 'public', number: String(index) },
        annotations: {
          'backstage.io/managed-by-location': 'url:https://example.com/all.yaml',
          'backstage.io/managed-by-origin-location': 'url:https://example.com/all.yaml',
        },
      },
      spec: {
        type: 'service',
        lifecycle: index % 4 === 0 ? 'experimental' : 'production',
        owner: `group:default/team-${index % TEAMS}`,
        ...(kind === 'API' && { definition: 'none' }),
      },
    };
  });
}
