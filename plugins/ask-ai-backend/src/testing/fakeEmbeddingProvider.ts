import type { EmbeddingProvider, EmbedOptions, EmbedResult } from 'backstage-plugin-ask-ai-node';
import { testEmbedding } from './modelServer';

export const FAKE_DIMENSIONS = 8;

/** What the provider below gives for a text. */
export function fakeVector(text: string): Float32Array {
  return Float32Array.from(testEmbedding(text, FAKE_DIMENSIONS));
}

/** Gives vectors of the texts, unless the script says otherwise. */
export class FakeEmbeddingProvider implements EmbeddingProvider {
  readonly provider = 'fake';
  readonly model = 'fake';
  maxTextsPerCall = 4;
  maxParallelCalls = 2;
  readonly calls: (readonly string[])[] = [];
  underWay = 0;
  mostUnderWay = 0;

  constructor(
    private readonly script: (
      texts: readonly string[],
      options: EmbedOptions & { call: number },
    ) => EmbedResult | Promise<EmbedResult> | undefined = () => undefined,
  ) {}

  async dimensions(): Promise<number> {
    return FAKE_DIMENSIONS;
  }

  async embed(texts: readonly string[], options: EmbedOptions): Promise<EmbedResult> {
    this.calls.push(texts);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      await new Promise(resolve => setImmediate(resolve));
      const scripted = await this.script(texts, { ...options, call: this.calls.length });
      return scripted ?? { vectors: texts.map(fakeVector), tokens: texts.length };
    } finally {
      this.underWay -= 1;
    }
  }

  async check(): Promise<void> {}
}
