import { randomUUID } from 'node:crypto';
import type {
  AuditorService,
  BackstageCredentials,
  LoggerService,
} from '@backstage/backend-plugin-api';
import { NotFoundError } from '@backstage/errors';
import {
  type AskEvent,
  type AskRequest,
  type AskResponse,
  askAiIndexManagePermission,
  askAiIndexReadPermission,
  askAiQuestionAskPermission,
  type FeedbackRequest,
  type IndexStarted,
  type IndexStatus,
  type SearchRequest,
  type SearchResponse,
  type UnansweredQuestions,
} from 'backstage-plugin-ask-ai-common';
import type { EmbeddingVector } from 'backstage-plugin-ask-ai-node';
import type { Request } from 'express';
import { audited, auditedStream } from './lib/audited';
import { normaliseEntityRef } from './lib/entityRef';
import { principalName } from './lib/principal';
import type { Answer } from './pipeline/answer';
import {
  type AuthoriseOptions,
  assertAllowed,
  assertEntityReadable,
  readAccessOf,
} from './pipeline/authorise';
import type { AskAiRuntime } from './runtime';
import type { AuditConfig, QuestionsConfig } from './services/ConfigService';
import type { RateLimiter } from './services/RateLimiter';

/** Who asks. */
export interface Caller {
  credentials: BackstageCredentials;
  /** Aborts when the caller no longer waits. */
  signal?: AbortSignal;
  /** For audit events; absent when the call came another way than by our own router. */
  request?: Request;
}

/** What the service works with. */
export interface AskAiServiceOptions extends AuthoriseOptions {
  runtime: AskAiRuntime;
  auditor: AuditorService;
  limiter: RateLimiter;
  logger: LoggerService;
  audit: AuditConfig;
  questions: QuestionsConfig;
}

/** Unanswered questions that are told. */
const MOST_UNANSWERED = 100;

/** How often old questions are removed, in milliseconds. */
const FORGET_EVERY_MS = 3_600_000;

const DAY_MS = 86_400_000;

/**
 * Everything that somebody can ask of the plugin, by HTTP or as an action. Each call checks how often
 * its caller may call, what it may do and what it may read, in this order, and tells the auditor.
 *
 * Every call may reject with NotAllowedError, with AuthorisationUnavailableError when nobody can tell
 * what is allowed, and those for questions and searches with TooManyRequestsError.
 */
export class AskAiService {
  private forgottenAt = 0;

  private constructor(private readonly options: AskAiServiceOptions) {}

  static create(options: AskAiServiceOptions): AskAiService {
    return new AskAiService(options);
  }

  /** @throws InputError for what can't be answered as it was asked. */
  async ask(request: AskRequest, caller: Caller): Promise<AskResponse> {
    let response: AskResponse | undefined;
    // To the end, which the auditor waits for.
    for await (const { event, data } of this.askInPieces(request, caller)) {
      if (event === 'done') response = data;
    }
    if (!response) {
      throw new Error('The answer has no end.');
    }
    return response;
  }

  /** The same, piece by piece; the last event is `done`. Rejects where something goes wrong. */
  async *askInPieces(
    request: AskRequest,
    caller: Caller,
  ): AsyncGenerator<Exclude<AskEvent, { event: 'error' }>, void, undefined> {
    const { limiter, audit } = this.options;
    await limiter.consume('question', caller.credentials);
    const { model, entityId, prompt } = request;
    const meta = { model, entityId, ...(audit.includeQuestions && { question: prompt }) };
    const event = { eventId: 'ask', severityLevel: 'low' as const, caller, meta };
    yield* auditedStream(this.options.auditor, event, () => this.answerInPieces(request, caller));
  }

  private async *answerInPieces(request: AskRequest, caller: Caller) {
    const access = await this.readAccess(caller);
    const options = { access, signal: caller.signal };
    const answer = yield* this.options.runtime.ask(request, options);
    const id = await this.remember(request.prompt, answer);
    yield { event: 'done' as const, data: { id, ...answer } };
  }

  async search(request: SearchRequest, caller: Caller): Promise<SearchResponse> {
    await this.options.limiter.consume('search', caller.credentials);
    const access = await this.readAccess(caller);
    return this.options.runtime.search(request, { access, signal: caller.signal });
  }

  /** @throws NotFoundError for an answer that nobody got. */
  async rate({ answerId, rating, comment }: FeedbackRequest, caller: Caller): Promise<void> {
    await this.assertMay(askAiQuestionAskPermission, caller);
    const kept = this.options.questions.keepTexts ? comment : undefined;
    if (!(await this.options.runtime.questions.rate(answerId, { rating, comment: kept }))) {
      throw new NotFoundError(`There is no answer ${answerId}`);
    }
  }

  async unansweredQuestions(caller: Caller): Promise<UnansweredQuestions> {
    await this.assertMay(askAiIndexManagePermission, caller);
    return this.options.runtime.questions.unanswered(MOST_UNANSWERED);
  }

  /** @throws NotFoundError for an entity that the catalog does not have, as far as the caller may know. */
  startIndex(entityRef: string | undefined, caller: Caller): Promise<IndexStarted> {
    const known = entityRef === undefined ? undefined : normaliseEntityRef(entityRef);
    const meta =
      known === undefined ? { queryType: 'all' } : { queryType: 'entity', entityId: known };
    return this.managed('index', caller, meta, async () => {
      if (known !== undefined) {
        await assertEntityReadable(known, caller.credentials, this.options);
      }
      const requestedBy = principalName(caller.credentials);
      return this.options.runtime.requestIndex({ entityRef: known, requestedBy });
    });
  }

  cancelIndex(caller: Caller): Promise<boolean> {
    const meta = { queryType: 'cancel' };
    return this.managed('index', caller, meta, () => this.options.runtime.cancelIndex());
  }

  clear(entityId: string | undefined, caller: Caller): Promise<void> {
    const known = entityId === undefined ? undefined : normaliseEntityRef(entityId);
    return this.managed('clear', caller, { entityId: known }, () =>
      this.options.runtime.clear(known),
    );
  }

  /** What is stored of the entities that the caller may read; others may not even manage it. */
  export(caller: Caller): AsyncGenerator<EmbeddingVector, void, undefined> {
    const event = { eventId: 'export', severityLevel: 'medium' as const, caller };
    return auditedStream(this.options.auditor, event, () => this.exportInPieces(caller));
  }

  private async *exportInPieces(caller: Caller) {
    await this.assertMay(askAiIndexManagePermission, caller);
    const access = await readAccessOf(caller.credentials, this.options);
    yield* this.options.runtime.export({ access, signal: caller.signal });
  }

  async status(caller: Caller): Promise<IndexStatus> {
    await this.assertMay(askAiIndexReadPermission, caller);
    const access = await readAccessOf(caller.credentials, this.options);
    return this.options.runtime.status({ access });
  }

  private async readAccess(caller: Caller) {
    const [access] = await Promise.all([
      readAccessOf(caller.credentials, this.options),
      this.assertMay(askAiQuestionAskPermission, caller),
    ]);
    return access;
  }

  private assertMay(permission: Parameters<typeof assertAllowed>[0], { credentials }: Caller) {
    return assertAllowed(permission, credentials, this.options);
  }

  private managed<T>(
    eventId: string,
    caller: Caller,
    meta: Record<string, string | undefined>,
    work: () => Promise<T>,
  ): Promise<T> {
    const event = { eventId, severityLevel: 'medium' as const, caller, meta };
    return audited(this.options.auditor, event, async () => {
      await this.assertMay(askAiIndexManagePermission, caller);
      return work();
    });
  }

  /** An answer is worth more than its record: where that fails, the log tells. */
  private async remember(prompt: string, { model, found }: Answer): Promise<string> {
    const { runtime, questions, logger } = this.options;
    const id = randomUUID();
    try {
      await runtime.questions.record({
        id,
        model,
        found,
        ...(questions.keepTexts && { text: prompt }),
      });
      const now = Date.now();
      if (now - this.forgottenAt > FORGET_EVERY_MS) {
        this.forgottenAt = now;
        await runtime.questions.forget(new Date(now - questions.retentionDays * DAY_MS));
      }
    } catch (error) {
      logger.warn('Could not remember a question', error as Error);
    }
    return id;
  }
}
