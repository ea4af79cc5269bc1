import { mulberry32 } from '../vectors';

/** Words and choices that depend on a seed alone. */
export interface Prose {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  /** At most `count` different ones. */
  pickSome<T>(from: readonly T[], count: number): T[];
  sentence(): string;
  paragraph(sentences: number): string;
}

export const DOMAINS = ['orders', 'billing', 'search', 'shipping', 'identity', 'pricing', 'media'];

export const PARTS = [
  'gateway',
  'ledger',
  'router',
  'importer',
  'scheduler',
  'renderer',
  'planner',
  'reconciler',
  'notifier',
  'archive',
];

const SUBJECTS = [
  'The service',
  'A nightly job',
  'The on-call engineer',
  'Each replica',
  'The deployment pipeline',
  'A failed request',
  'The read model',
  'Every consumer of the topic',
  'The rate limiter',
  'A new tenant',
];

const VERBS = [
  'publishes',
  'validates',
  'retries',
  'reconciles',
  'archives',
  'encrypts',
  'batches',
  'forwards',
  'rolls back',
  'reports',
];

const OBJECTS = [
  'the invoices of the previous day',
  'events that arrived out of order',
  'customer addresses in the European region',
  'stock levels of all warehouses',
  'the search index of the web shop',
  'payments above the fraud threshold',
  'images in three resolutions',
  'sessions older than two weeks',
  'feature flags of the mobile clients',
  'the audit log of administrative actions',
  'price lists that a partner uploads',
  'dead letters of the message broker',
];

const CIRCUMSTANCES = [
  'before the traffic is switched over',
  'within the agreed latency of 250 ms',
  'when the primary database fails over',
  'after an approval by the owning team',
  'as described in the runbook of the platform team',
  'unless the circuit breaker is open',
  'with exponential backoff and at most five attempts',
  'so that downstream systems see each change once',
  'while older clients still use the previous version',
  'for as long as the retention policy demands',
];

/** Equal seeds give equal prose. */
export function proseOf(seed: number): Prose {
  const random = mulberry32(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]) => from[below(from.length)] as T;
  // A number in each sentence: the texts of two entities are never the same.
  const sentence = () =>
    `${pick(SUBJECTS)} ${pick(VERBS)} ${pick(OBJECTS)} ${pick(CIRCUMSTANCES)} (case ${below(100_000)}).`;
  return {
    below,
    pick,
    pickSome: (from, count) => [...new Set(Array.from({ length: count }, () => pick(from)))],
    sentence,
    paragraph: sentences => Array.from({ length: sentences }, sentence).join(' '),
  };
}
