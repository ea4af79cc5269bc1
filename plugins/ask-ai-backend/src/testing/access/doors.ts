import type {
  AskEvent,
  AskResponse,
  IndexStatus,
  RankedResult,
  SearchMode,
} from 'backstage-plugin-ask-ai-common';
import type { AccessRequest } from './backend';
import { codenameOf, TEAMS, vocabulary } from './catalog';
import type { SeededRandom } from './random';
import type { MatrixUser } from './users';

/** The ways to what is indexed. */
export const DOORS = [
  'search',
  'ask',
  'stream',
  'search action',
  'ask action',
  'export',
  'status',
] as const;

export type Door = (typeof DOORS)[number];

/** How often export and status are taken: they read the whole index. */
const RARELY = 25;

const MODES: readonly SearchMode[] = ['hybrid', 'vector', 'keyword'];

/** What a call is made of. */
export interface DoorCall {
  reader: MatrixUser & { name: string };
  door: Door;
  random: SeededRandom;
  entityCount: number;
  /** Of all entities. */
  allIds: Set<string>;
}

/** What a search asks for. */
export interface SearchBody {
  query: string;
  topK: number;
  mode: SearchMode;
  entityId?: string;
  filter?: { kinds?: string[] };
}

/** A random call through a door. */
export function requestFor({ door, random, entityCount, allIds, reader }: DoorCall): {
  path: string;
  options: AccessRequest;
} {
  const query = randomQuestion(random, entityCount);
  const topK = 1 + random.integer(random.pick([5, 20, 100]));
  const entityId = random.integer(6) === 0 ? random.pick([...allIds]) : undefined;
  const mode = random.pick(MODES);
  const kinds = random.integer(4) === 0 ? [random.pick(['component', 'api', 'system'])] : undefined;
  switch (door) {
    case 'search':
      return {
        path: '/ask-ai/search',
        options: { body: { query, topK, mode, entityId, filter: kinds && { kinds } } },
      };
    case 'search action':
      return {
        path: '/ask-ai/.backstage/actions/v1/actions/ask-ai:search/invoke',
        options: { body: { query, topK, mode, entityId } },
      };
    case 'ask':
      return { path: '/ask-ai/', options: { body: { prompt: query, topK, entityId } } };
    case 'stream':
      return {
        path: '/ask-ai/',
        options: { body: { prompt: query, topK, entityId }, accept: 'text/event-stream' },
      };
    case 'ask action':
      return {
        path: '/ask-ai/.backstage/actions/v1/actions/ask-ai:ask/invoke',
        options: { body: { prompt: query, topK: String(topK), entityId } },
      };
    case 'export':
      return { path: '/ask-ai/index/export', options: {} };
    case 'status':
      return { path: '/ask-ai/index/status', options: { user: reader.name } };
  }
}

/** Words of the descriptions, or what only the text of one entity holds, whoever may read it. */
function randomQuestion(random: SeededRandom, entityCount: number): string {
  const number = random.integer(entityCount);
  const words = Array.from({ length: 1 + random.integer(4) }, () => random.pick(vocabulary));
  return random.pick([
    words.join(' '),
    `What does ${words.join(' and ')}?`,
    `codename ${codenameOf(number)}`,
    `Who owns entity-${number}?`,
    `${words[0]} of team-${random.integer(TEAMS)} tier secret`,
  ]);
}

export function pickDoor(random: SeededRandom): Door {
  return random.integer(RARELY) === 0
    ? random.pick(['export', 'status'])
    : random.pick(DOORS.slice(0, 5));
}

/** What a user must be answered with. */
export function expectedStatus({ mayAsk = true, manages = false }: MatrixUser, door: Door): number {
  if (door === 'export' || door === 'status') {
    return manages ? 200 : 403;
  }
  // The registry hides an action from whom it is not for.
  return mayAsk ? 200 : door.endsWith('action') ? 404 : 403;
}

/** Entity ids of what an answer shows, one for each passage. */
export function readAnswer(door: Door, text: string): string[] {
  switch (door) {
    case 'search':
      return idsOf((JSON.parse(text) as { results: RankedResult[] }).results);
    case 'ask':
      return idsOf((JSON.parse(text) as AskResponse).sources);
    case 'stream':
      return parseEvents(text).flatMap(event =>
        event.event === 'sources' || event.event === 'done' ? idsOf(event.data.sources) : [],
      );
    case 'search action':
      return refsOf(JSON.parse(text).output.results);
    case 'ask action':
      return refsOf(JSON.parse(text).output.sources);
    case 'export':
      return text
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line).documentChunk.entityId);
    case 'status':
      return (JSON.parse(text) as IndexStatus).failures.map(({ entityId }) => entityId);
  }
}

/** The events of a stream that was read to its end. */
export function parseEvents(text: string): AskEvent[] {
  return text
    .split('\n\n')
    .filter(block => block.startsWith('event: '))
    .map(block => {
      const [first = '', second = ''] = block.split('\n');
      return {
        event: first.slice('event: '.length),
        data: JSON.parse(second.slice('data: '.length)),
      } as AskEvent;
    });
}

function idsOf(results: RankedResult[]): string[] {
  return results.map(({ documentChunk }) => documentChunk.entityId);
}

function refsOf(passages: { entityRef: string }[]): string[] {
  return passages.map(({ entityRef }) => entityRef);
}
