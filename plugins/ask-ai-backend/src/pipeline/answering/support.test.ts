import type { RankedResult } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { supportingHits } from './support';

const hit = (content: string, similarity = 0.2): RankedResult => ({
  documentChunk: {
    id: 'a',
    entityId: 'component:default/queue',
    entityName: 'Job Queue',
    content,
    metadata: { source: 'techdocs', chunkIndex: 0, totalChunks: 1, title: 'Storage' },
  },
  similarity,
  score: 1,
});

const isSupported = (question: string, hits: RankedResult[], minSimilarity?: number) =>
  supportingHits(question, hits, { minSimilarity }).length > 0;

describe('supportingHits', () => {
  const stored = hit('The queue keeps its jobs in PostgreSQL, which must support SKIP LOCKED.');

  it('takes a passage with most of the words of the question', () => {
    expect(isSupported('Does the job queue keep its jobs in PostgreSQL?', [stored])).toBe(true);
    expect(isSupported('How do I brew coffee for the whole office?', [stored])).toBe(false);
  });

  it('takes none when no passage has a name of the question', () => {
    expect(isSupported('Does the job queue support jobs in MySQL?', [stored])).toBe(false);
    expect(isSupported('Does the job queue keep jobs in mysql2?', [stored])).toBe(false);
    const other = hit('MySQL is another database.');
    expect(isSupported('Does the job queue support jobs in MySQL?', [stored, other])).toBe(true);
  });

  it('takes a name for held when its parts are', () => {
    expect(isSupported('Does JobQueue keep jobs in PostgreSQL?', [stored])).toBe(true);
  });

  it('makes nothing of capitals where most words have them', () => {
    const german = hit('Die Warteschlange speichert Aufträge in der Datenbank.');
    expect(isSupported('Speichert Warteschlange Aufträge Datenbank Morgens?', [german])).toBe(true);
  });

  it('takes a capital that begins a sentence for no name', () => {
    const jobs = (beginning: string) =>
      isSupported(`${beginning} the job queue keep jobs in PostgreSQL?`, [stored]);
    expect(jobs('Hello there. Does')).toBe(true);
    expect(jobs('Hello! "Does')).toBe(true);
    expect(jobs('Hello, Miro, does')).toBe(false);
  });

  it('takes time in proportion to the question', () => {
    const start = performance.now();
    const question = `${'! '.repeat(20_000)}${'petstore '.repeat(10_000)}`;
    expect(isSupported(question, [hit('The petstore')])).toBe(true);
    // Took minutes when each token looked at all that stands before it.
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('leaves it to a model that knows meanings whether other words mean the same', () => {
    expect(isSupported('Does MySQL work?', [hit('Something', 0.7)], 0.5)).toBe(true);
    expect(isSupported('Does MySQL work?', [hit('Something', 0.7)], 0.8)).toBe(false);
    expect(isSupported('Does MySQL work?', [hit('Something', 0.3)], 0.5)).toBe(false);
  });
});
