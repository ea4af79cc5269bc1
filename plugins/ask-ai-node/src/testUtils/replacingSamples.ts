import type { EmbeddingVector } from '../vectorStore';
import { at, samples } from './samples';

export const [E0, E1, E2] = [
  'component:default/e0',
  'component:default/e1',
  'component:default/e2',
] as const;
/** The document of whose chunks a stream gives some. */
export const KEY = { entityId: E0, source: 'techdocs' as const };

/** Rows of three entities in turn; every other row of the first is of its catalog document. */
export function streamed(size: number): EmbeddingVector[] {
  return samples(size, index => ({
    entityId: `component:default/e${index % 3}`,
    source: index % 6 === 0 ? 'catalog' : 'techdocs',
    content: 'streamed',
    vector: at(index / 20),
  }));
}
