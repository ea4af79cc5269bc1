/**
 * Every error class of the plugin. Backstage's HTTP middleware answers with `statusCode`. Bad input
 * of a caller is Backstage's `InputError`. A message says what failed, what was expected, what was
 * received and what to do; never SQL, vectors or secrets.
 */
abstract class AskAiError extends Error {
  abstract readonly statusCode: number;
  /** Whether the same call may succeed later, with nothing changed by anybody. */
  readonly isRetryable: boolean = false;
}

/** The configuration can't be used. */
export class ConfigurationError extends AskAiError {
  override readonly name = 'ConfigurationError';
  readonly statusCode = 500;

  /** @param problems - one sentence each, with the key, the expectation and the value. */
  constructor(readonly problems: string[]) {
    super(
      problems.length === 1
        ? problems[0]
        : `The configuration has ${problems.length} problems:\n${problems.map(p => `- ${p}`).join('\n')}`,
    );
  }
}

/** An embedding that no store may hold. */
export class InvalidVectorError extends AskAiError {
  override readonly name = 'InvalidVectorError';
  readonly statusCode = 400;

  constructor(
    reason: string,
    /** Position in the batch, from 0. */
    readonly index?: number,
    options?: ErrorOptions,
  ) {
    super(index === undefined ? reason : `Embedding ${index}: ${reason}`, options);
  }
}

/** A vector of another dimension than the store's. */
export class DimensionMismatchError extends AskAiError {
  override readonly name = 'DimensionMismatchError';
  readonly statusCode: number;

  constructor(
    readonly expected: number,
    readonly received: number,
    /** Who brought the vector: a caller gets a 400, a model's fault is a 500. */
    readonly from: 'caller' | 'model' = 'caller',
    readonly index?: number,
  ) {
    super(
      `${index === undefined ? 'Vector' : `Embedding ${index}`}: expected ${expected} dimensions, got ${received}.${
        from === 'model'
          ? ' The embedding model does not fit what is stored: set askAi.embeddingModel back, or re-embed.'
          : ''
      }`,
    );
    this.statusCode = from === 'caller' ? 400 : 500;
  }
}

/** What is stored was embedded by something else than what is configured. */
export class EmbeddingSpaceMismatchError extends AskAiError {
  override readonly name = 'EmbeddingSpaceMismatchError';
  readonly statusCode = 503;

  constructor(
    readonly stored: string,
    readonly configured: string,
    /** Where what does not fit is not a configuration. */
    message?: string,
  ) {
    super(
      message ??
        `The index was embedded by ${stored}, but ${configured} is configured. Their vectors can't be compared: ` +
          'set the configuration back, or embed what is stored by the configured model (ask-ai reembed, or ' +
          'askAi.embedding.onModelChange: reembed).',
    );
  }
}

/** Another process has taken over the index run, since this one was held up for too long. */
export class RunLostError extends AskAiError {
  override readonly name = 'RunLostError';
  readonly statusCode = 409;

  constructor() {
    super('Another process has taken over the index run: nothing more is written by this one.');
  }
}

/** What is moved from one store to another is damaged, not whole, or does not fit where it shall go. */
export class TransferError extends AskAiError {
  override readonly name = 'TransferError';
  readonly statusCode = 400;
}

/** The vector store can't be reached. */
export class VectorStoreUnavailableError extends AskAiError {
  override readonly name = 'VectorStoreUnavailableError';
  readonly statusCode = 503;
  override readonly isRetryable = true;
  /**
   * Of the server: `none`, when it is well and the same call may succeed at once; `brief`, when a moment
   * may mend it; `lasting`, when it may not.
   */
  readonly outage: 'none' | 'brief' | 'lasting';

  constructor(
    message: string,
    {
      outage = 'lasting',
      ...options
    }: ErrorOptions & { outage?: 'none' | 'brief' | 'lasting' } = {},
  ) {
    super(message, options);
    this.outage = outage;
  }
}

/** The vector store failed so often in a row that it is left alone for a while. */
export class CircuitOpenError extends AskAiError {
  override readonly name = 'CircuitOpenError';
  readonly statusCode = 503;
  override readonly isRetryable = true;

  constructor(
    message: string,
    /** When it is asked again. */
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** There was no answer in time. */
export class DeadlineExceededError extends AskAiError {
  override readonly name = 'DeadlineExceededError';
  readonly statusCode = 504;
  override readonly isRetryable = true;
}

/** The backend is being shut down. */
export class ShuttingDownError extends AskAiError {
  override readonly name = 'ShuttingDownError';
  readonly statusCode = 503;
  override readonly isRetryable = true;

  constructor() {
    super(
      'The backend is being shut down: ask again, which another one or the next start answers.',
    );
  }
}

/** The vector store was reached, but is not as it must be; the message says the remedy. */
export class VectorStoreSchemaError extends AskAiError {
  override readonly name = 'VectorStoreSchemaError';
  readonly statusCode = 503;
}

/** What the caller relied on was changed by somebody else in the meantime. */
export class ConflictError extends AskAiError {
  override readonly name = 'ConflictError';
  readonly statusCode = 409;
  override readonly isRetryable = true;
}

/** A model server did not do what it was asked. */
export class ProviderError extends AskAiError {
  override readonly name = 'ProviderError';
  readonly statusCode = 502;
  override readonly isRetryable: boolean;
  readonly provider: string;
  /** Without credentials. */
  readonly url?: string;
  /** Of the server's answer. */
  readonly responseStatus?: number;
  /** How long the server asked to wait. */
  readonly retryAfterMs?: number;

  constructor(
    message: string,
    facts: {
      provider: string;
      isRetryable: boolean;
      url?: string;
      responseStatus?: number;
      retryAfterMs?: number;
      cause?: unknown;
    },
  ) {
    super(message, { cause: facts.cause });
    this.provider = facts.provider;
    this.isRetryable = facts.isRetryable;
    this.url = facts.url;
    this.responseStatus = facts.responseStatus;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** A text is longer than the model takes: a shorter one may do. */
export class InputTooLongError extends ProviderError {
  /** What providers of other packages set on theirs; the name stays `ProviderError`. */
  readonly isInputTooLong = true;

  constructor(
    message: string,
    facts: Omit<ConstructorParameters<typeof ProviderError>[1], 'isRetryable'>,
  ) {
    super(message, { ...facts, isRetryable: false });
  }
}

/** A source of documents can't be read. */
export class CollectorError extends AskAiError {
  override readonly name = 'CollectorError';
  readonly statusCode = 502;
  override readonly isRetryable = true;
}

/** Nobody can tell what the caller may do or read, so nothing is shown. */
export class AuthorisationUnavailableError extends AskAiError {
  override readonly name = 'AuthorisationUnavailableError';
  readonly statusCode = 503;
  override readonly isRetryable = true;
}

/** Nobody waits for the answer any more; the status is the one that nginx gives it in its log. */
export class ClientLeftError extends AskAiError {
  override readonly name = 'ClientLeftError';
  readonly statusCode = 499;

  constructor() {
    super('The client left.');
  }
}

/** The body is something else than JSON. */
export class UnsupportedMediaTypeError extends AskAiError {
  override readonly name = 'UnsupportedMediaTypeError';
  readonly statusCode = 415;
}

/** The caller asks more often than it may. */
export class TooManyRequestsError extends AskAiError {
  override readonly name = 'TooManyRequestsError';
  readonly statusCode = 429;
  override readonly isRetryable = true;

  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}
