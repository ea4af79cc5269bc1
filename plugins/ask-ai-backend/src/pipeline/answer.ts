import { InputError } from '@backstage/errors';
import type {
  AskEvent,
  AskRequest,
  AskResponse,
  RankedResult,
} from 'backstage-plugin-ask-ai-common';
import type { LanguageModel } from 'backstage-plugin-ask-ai-node';
import { extractAnswer } from './answering/extract';
import { retrievalQueries } from './answering/followUp';
import { buildChat, buildPrompt } from './answering/prompt';
import { checkedReply } from './answering/reply';
import { supportingHits } from './answering/support';
import { type RetrieveOptions, retrieve } from './retrieve';

/** What answers are made with. */
export interface AnswerOptions extends RetrieveOptions {
  /** Without one, the best sentences are quoted. */
  languageModel?: LanguageModel;
  defaultModel?: string;
  allowedModels: string[];
  /** Cosine similarity that supports an answer without common words, for models that know meanings. */
  minSimilarity: number;
}

/** A question, and what it takes to answer it. */
export type Question = AskRequest & { topK: number; signal?: AbortSignal };

/** An answer that was not written down yet. */
export type Answer = Omit<AskResponse, 'id'>;

/** What can be told of an answer before it is whole. */
export type AnswerEvent = Extract<AskEvent, { event: 'sources' | 'token' }>;

/** The name of answers that no model wrote. */
const EXTRACTIVE = 'extractive';

const NOT_FOUND =
  'The answer was not found in the catalog or the documentation. Try other words, or ask about one entity.';

/**
 * Answers a question from what the index holds: first its sources, then the text as it is written.
 * Says "not found" rather than inventing an answer. Stopping the iteration stops the model.
 *
 * @returns the whole answer.
 * @throws InputError for a model that may not be used, for `useRAG: false` without any model, and for
 * a question that the model can't read as a whole.
 */
export async function* answerInPieces(
  request: Question,
  options: AnswerOptions,
): AsyncGenerator<AnswerEvent, Answer, undefined> {
  const model = chooseModel(request, options);
  if (request.useRAG === false) {
    return yield* answerWithoutSources(request, model, options);
  }
  const { prompt, signal, history } = request;
  const { hits, supporting } = await findSupport(request, options);
  const isPartial = options.store.wasCut ? { isPartial: true as const } : {};
  if (supporting.length === 0) {
    yield sourcesEvent(hits, model);
    return { ...notFound(model, hits), ...isPartial };
  }
  if (!options.languageModel) {
    yield sourcesEvent(supporting, model);
    const answer = extractAnswer(prompt, supporting);
    yield { event: 'token', data: { text: answer } };
    return { answer, sources: supporting, model, found: true, ...isPartial };
  }
  const { contextTokens } = options.languageModel;
  const { messages, sources } = buildPrompt(prompt, supporting, { contextTokens, history });
  yield sourcesEvent(sources, model);
  const pieces = options.languageModel.chat({ model, messages, signal });
  const answer = yield* tokens(checkedReply(pieces, sources.length));
  return answer === ''
    ? { ...notFound(model, sources), ...isPartial }
    : { answer, sources, model, found: true, ...isPartial };
}

/** The whole answer at once; see `answerInPieces`. */
export async function answer(request: Question, options: AnswerOptions): Promise<Answer> {
  const pieces = answerInPieces(request, options);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return value;
  }
}

/** The hits of the first wording that has any support; what was looked at last when none has. */
async function findSupport(request: Question, options: AnswerOptions) {
  const { topK, entityId, signal } = request;
  const filter = entityId === undefined ? undefined : { entityIds: [entityId] };
  const { provider } = await options.spaces.forQuestions();
  const minSimilarity = provider.provider === 'lexical' ? undefined : options.minSimilarity;
  let hits: RankedResult[] = [];
  for (const query of retrievalQueries(request)) {
    hits = await retrieve({ query, topK, mode: 'hybrid', filter, signal }, options);
    const supporting = supportingHits(query, hits, { minSimilarity });
    if (supporting.length > 0) {
      return { hits, supporting };
    }
  }
  return { hits, supporting: [] };
}

/** What was looked at is shown, but nothing is claimed from it. */
function notFound(model: string, sources: RankedResult[]): Answer {
  return { answer: NOT_FOUND, sources, model, found: false };
}

function sourcesEvent(sources: RankedResult[], model: string): AnswerEvent {
  return { event: 'sources', data: { sources, model } };
}

function chooseModel({ model }: AskRequest, options: AnswerOptions): string {
  if (!options.languageModel) {
    if (model !== undefined && model !== EXTRACTIVE) {
      throw new InputError(
        `Model ${model} can't be used: no language model is configured. Set askAi.defaultModel, or leave "model" out`,
      );
    }
    return EXTRACTIVE;
  }
  const chosen = model ?? options.defaultModel;
  if (chosen === undefined || !options.allowedModels.includes(chosen)) {
    throw new InputError(
      `Expected model to be one of ${options.allowedModels.join(', ')} (askAi.allowedModels), got ${chosen}`,
    );
  }
  return chosen;
}

async function* answerWithoutSources(
  { prompt, history, signal }: Question,
  model: string,
  { languageModel }: AnswerOptions,
): AsyncGenerator<AnswerEvent, Answer, undefined> {
  if (!languageModel) {
    throw new InputError(
      'useRAG: false asks a language model alone, but none is configured: set askAi.defaultModel, or leave useRAG out',
    );
  }
  const { contextTokens } = languageModel;
  const messages = buildChat(prompt, { contextTokens, history });
  yield sourcesEvent([], model);
  const answer = yield* tokens(checkedReply(languageModel.chat({ model, messages, signal }), 0));
  return answer === '' ? notFound(model, []) : { answer, sources: [], model, found: true };
}

async function* tokens(
  reply: AsyncGenerator<string, string, undefined>,
): AsyncGenerator<AnswerEvent, string, undefined> {
  try {
    for (;;) {
      const { done, value } = await reply.next();
      if (done) return value;
      yield { event: 'token', data: { text: value } };
    }
  } finally {
    await reply.return('');
  }
}
