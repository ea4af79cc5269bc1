import type { ChatTurn } from 'backstage-plugin-ask-ai-common';

/** What an embedding model gives back. */
export interface EmbedResult {
  /** One vector a text, in the order of the texts. */
  vectors: Float32Array[];
  /** Tokens that the call was counted for, where the provider tells. */
  tokens?: number;
}

/** Options of one embedding call. */
export interface EmbedOptions {
  /** Some models embed a question differently from the text it is compared with. */
  purpose: 'document' | 'query';
  signal?: AbortSignal;
}

/**
 * Turns texts into vectors. Provider, model and dimensions name the embedding space: vectors of
 * different spaces must never be compared.
 */
export interface EmbeddingProvider {
  /** `ollama`, `openai`, `lexical` or the id of a module. */
  readonly provider: string;
  readonly model: string;
  /** More texts than this are not passed to one call of `embed`. */
  readonly maxTextsPerCall: number;
  /** How many calls of `embed` may be under way at once. */
  readonly maxParallelCalls: number;

  /**
   * Numbers in every vector. May ask the model server the first time.
   *
   * @throws an error named `ProviderError` when the server can't be asked.
   */
  dimensions(options?: { signal?: AbortSignal }): Promise<number>;

  /**
   * Vectors in the order of the texts; `[]` gives `[]`.
   *
   * @throws an error named `ProviderError`, with `isRetryable`, that names the server and the remedy.
   */
  embed(texts: readonly string[], options: EmbedOptions): Promise<EmbedResult>;

  /** Rejects with what is wrong and how to mend it when the model can't be used. */
  check(options?: { signal?: AbortSignal }): Promise<void>;
}

/** One message to a language model. */
export interface ChatMessage {
  role: 'system' | ChatTurn['role'];
  content: string;
}

/** What a language model is asked. */
export interface ChatRequest {
  /** Which of the provider's models answers. */
  model: string;
  messages: ChatMessage[];
  signal?: AbortSignal;
}

/** Writes text that continues a conversation. */
export interface LanguageModel {
  /** `ollama`, `openai` or the id of a module. */
  readonly provider: string;
  /** Tokens that prompt and answer may have together. */
  readonly contextTokens: number;

  /**
   * The answer, piece by piece as the model writes it. Stopping the iteration stops the model. When the
   * answer was cut at the model's limit, the last piece tells so. Thoughts at the beginning, within
   * `<think>` and `</think>`, are not shown.
   *
   * @throws an error named `ProviderError`, with `isRetryable`, that names the server and the remedy.
   */
  chat(request: ChatRequest): AsyncIterable<string>;

  /** Rejects with what is wrong and how to mend it when `model` can't be used. */
  check(model: string, options?: { signal?: AbortSignal }): Promise<void>;
}
