import { InputError } from '@backstage/errors';
import type { AskRequest, AskResponse, RankedResult } from 'backstage-plugin-ask-ai-common';
import type { LanguageModel } from 'backstage-plugin-ask-ai-node';
import { checkCitations } from './answering/citations';
import { extractAnswer } from './answering/extract';
import { buildPrompt, NOT_FOUND_REPLY } from './answering/prompt';
import { supportingHits } from './answering/support';
import { type RetrieveOptions, retrieve } from './retrieve';

/** What answers are made with. */
export interface AnswerOptions extends RetrieveOptions {
  /** Without one, the best sentences are quoted. */
  languageModel?: LanguageModel;
  defaultModel?: string;
  allowedModels: string[];
}

/** The name of answers that no model wrote. */
const EXTRACTIVE = 'extractive';

const NOT_FOUND =
  'The answer was not found in the catalog or the documentation. Try other words, or ask about one entity.';

/**
 * Answers a question from what the index holds, with its sources; says "not found" rather than
 * inventing an answer.
 *
 * @throws InputError for a model that may not be used, and for `useRAG: false` without any model.
 */
export async function answer(
  request: AskRequest & { topK: number; signal?: AbortSignal },
  options: AnswerOptions,
): Promise<AskResponse> {
  const model = chooseModel(request, options);
  if (request.useRAG === false) {
    return answerWithoutSources(request, model, options);
  }
  const { prompt, topK, entityId, signal } = request;
  const filter = entityId === undefined ? undefined : { entityIds: [entityId] };
  const hits = await retrieve({ query: prompt, topK, mode: 'hybrid', filter, signal }, options);
  const supporting = supportingHits(prompt, hits, {
    knowsMeaning: (await options.spaces.forQuestions()).provider.provider !== 'lexical',
  });
  if (supporting.length === 0) {
    return notFound(model, hits);
  }
  if (!options.languageModel) {
    return { answer: extractAnswer(prompt, supporting), sources: supporting, model, found: true };
  }
  const { messages, sources } = buildPrompt(prompt, supporting, {
    contextTokens: options.languageModel.contextTokens,
    history: request.history,
  });
  const reply = await complete(options.languageModel.chat({ model, messages, signal }));
  return reply.includes(NOT_FOUND_REPLY) || reply === ''
    ? notFound(model, sources)
    : { answer: checkCitations(reply, sources.length), sources, model, found: true };
}

/** What was looked at is shown, but nothing is claimed from it. */
function notFound(model: string, sources: RankedResult[]): AskResponse {
  return { answer: NOT_FOUND, sources, model, found: false };
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

async function answerWithoutSources(
  { prompt, history = [], signal }: AskRequest & { signal?: AbortSignal },
  model: string,
  { languageModel }: AnswerOptions,
): Promise<AskResponse> {
  if (!languageModel) {
    throw new InputError(
      'useRAG: false asks a language model alone, but none is configured: set askAi.defaultModel, or leave useRAG out',
    );
  }
  const messages = [...history, { role: 'user' as const, content: prompt }];
  const reply = await complete(languageModel.chat({ model, messages, signal }));
  return { answer: reply, sources: [], model, found: reply !== '' };
}

async function complete(pieces: AsyncIterable<string>): Promise<string> {
  let reply = '';
  for await (const piece of pieces) {
    reply += piece;
  }
  return reply.trim();
}
