import type { Suite } from '../suite';
import { bulk } from './bulk';
import { cache } from './cache';
import { decorators } from './decorators';
import { filter } from './filter';
import { hybrid } from './hybrid';
import { indexing } from './indexing';
import { memory } from './memory';
import { recall } from './recall';
import { scale } from './scale';
import { search } from './search';
import { stores } from './stores';
import { upsert } from './upsert';

/** Every suite, in the order in which they are told. */
export const SUITES: Suite[] = [
  search,
  decorators,
  hybrid,
  upsert,
  bulk,
  indexing,
  filter,
  cache,
  recall,
  memory,
  stores,
  scale,
];
