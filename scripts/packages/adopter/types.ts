// What an adopter may write: every entry point of the packages has its types.
import type { BackendFeature, LoggerService } from '@backstage/backend-plugin-api';
import askAi, { type AskAiConfig, InMemoryVectorStore } from 'backstage-plugin-ask-ai-backend';
import { AskAiClient, type AskResponse } from 'backstage-plugin-ask-ai-common';
import {
  askAiVectorStoresExtensionPoint,
  type IVectorStore,
  type VectorStoreProvider,
} from 'backstage-plugin-ask-ai-node';
import { describeVectorStore } from 'backstage-plugin-ask-ai-node/testUtils';

export const feature: BackendFeature = askAi;
export const store: IVectorStore = InMemoryVectorStore.create({ dimensions: 8 });
export const extensionPointId: string = askAiVectorStoresExtensionPoint.id;
export const suite: (name: string, ...rest: never[]) => void = describeVectorStore;
export type Settings = Parameters<VectorStoreProvider['create']>[0];

export async function ask(client: AskAiClient, logger: LoggerService): Promise<AskResponse> {
  const answer = await client.ask({ prompt: 'Who owns ferry-booking?' });
  logger.info(answer.answer);
  return answer;
}

// @ts-expect-error The types are there, not `any`: a topK is a number.
export const wrong: AskAiConfig['defaultTopK'] = 'five';

// @ts-expect-error A client needs to know where the backend is.
export const lost = new AskAiClient();
