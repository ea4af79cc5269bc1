import { queryTerms, tokenise } from '../../lib/text';
import type { TopK } from '../../lib/topK';

/** Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). */
const TERM_SATURATION = 1.2;
const LENGTH_NORMALISATION = 0.75;

/** A word of the title counts as often as three of the text: titles are short and say what it is about. */
const TITLE_WEIGHT = 3;

/** Characters of a text that are searched by words; as many as in the PostgreSQL store. */
const SEARCHED_CHARACTERS = 32_768;

/**
 * A posting is one number, `version * 64 + frequency`: 8 bytes, where a pair takes 40. A term that is
 * there more often counts as 63 times; BM25 makes no difference up there.
 */
const FREQUENCIES = 64;

/** The fewest versions that went before the postings are freed of them. */
const MIN_OUTDATED = 1_024;

/**
 * An inverted index with BM25 ranks. Rows are named by numbers; each text that is added becomes a new
 * version, so that removing it need not touch the postings of its words: they are skipped, and
 * dropped when more than half of all versions are outdated.
 */
export class KeywordIndex {
  private readonly postings = new Map<string, number[]>();
  /** By version: the row, or -1 when it went, and how many terms the text has. */
  private rows: number[] = [];
  private lengths: number[] = [];
  /** By row. */
  private readonly versions = new Map<number, number>();
  private totalLength = 0;

  /** How many texts are held, with those that were removed but not dropped yet. */
  get versionCount(): number {
    return this.rows.length;
  }

  /** Adds the text of a row that has none. */
  add(row: number, content: string, title = ''): void {
    const frequencies = new Map<string, number>();
    for (const term of tokenise(content.slice(0, SEARCHED_CHARACTERS))) {
      frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
    }
    for (const term of tokenise(title.slice(0, SEARCHED_CHARACTERS))) {
      frequencies.set(term, (frequencies.get(term) ?? 0) + TITLE_WEIGHT);
    }
    const version = this.rows.length;
    let length = 0;
    for (const [term, frequency] of frequencies) {
      length += frequency;
      const posting = version * FREQUENCIES + Math.min(frequency, FREQUENCIES - 1);
      const list = this.postings.get(term);
      if (list) {
        list.push(posting);
      } else {
        this.postings.set(term, [posting]);
      }
    }
    this.rows.push(row);
    this.lengths.push(length);
    this.versions.set(row, version);
    this.totalLength += length;
  }

  remove(row: number): void {
    const version = this.versions.get(row);
    if (version === undefined) {
      return;
    }
    this.versions.delete(row);
    this.rows[version] = -1;
    this.totalLength -= this.lengths[version] as number;
    if (this.rows.length > 2 * this.versions.size + MIN_OUTDATED) {
      this.dropOutdated();
    }
  }

  /**
   * Offers every row that holds at least one of the question's words, by its BM25 score.
   *
   * @param accepts - rows for which it is false are left out; they still count for how rare a word is.
   */
  offerMatches(question: string, top: TopK, accepts: (row: number) => boolean): void {
    const scores = new Float64Array(this.rows.length);
    const matches: number[] = [];
    const averageLength = this.totalLength / Math.max(1, this.versions.size);
    for (const term of queryTerms(question.slice(0, SEARCHED_CHARACTERS))) {
      const list = this.current(this.postings.get(term) ?? []);
      const rarity = inverseDocumentFrequency(list.length, this.versions.size);
      for (const posting of list) {
        const version = Math.floor(posting / FREQUENCIES);
        const relativeLength = (this.lengths[version] as number) / averageLength;
        const before = scores[version] as number;
        if (before === 0) {
          matches.push(version);
        }
        scores[version] = before + rarity * saturate(posting % FREQUENCIES, relativeLength);
      }
    }
    for (const version of matches) {
      const row = this.rows[version] as number;
      if (accepts(row)) {
        top.offer(row, scores[version] as number);
      }
    }
  }

  private current(postings: number[]): number[] {
    return postings.filter(posting => this.rows[Math.floor(posting / FREQUENCIES)] !== -1);
  }

  private dropOutdated(): void {
    const renumbered = new Float64Array(this.rows.length);
    const rows: number[] = [];
    const lengths: number[] = [];
    this.rows.forEach((row, version) => {
      if (row !== -1) {
        renumbered[version] = rows.length;
        this.versions.set(row, rows.length);
        rows.push(row);
        lengths.push(this.lengths[version] as number);
      }
    });
    for (const [term, postings] of this.postings) {
      const current = this.current(postings).map(posting => {
        const version = renumbered[Math.floor(posting / FREQUENCIES)] as number;
        return version * FREQUENCIES + (posting % FREQUENCIES);
      });
      if (current.length > 0) {
        this.postings.set(term, current);
      } else {
        this.postings.delete(term);
      }
    }
    this.rows = rows;
    this.lengths = lengths;
  }
}

function inverseDocumentFrequency(matching: number, total: number): number {
  return Math.log(1 + (total - matching + 0.5) / (matching + 0.5));
}

function saturate(frequency: number, relativeLength: number): number {
  const norm = 1 - LENGTH_NORMALISATION + LENGTH_NORMALISATION * relativeLength;
  return (frequency * (TERM_SATURATION + 1)) / (frequency + TERM_SATURATION * norm);
}
