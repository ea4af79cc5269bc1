import type { TestModelServer } from './modelServer';

/** What the providers ask to learn the dimensions, and the pipeline to learn whether the server works. */
const QUESTIONS_OF_OURS = ['dimensions', 'ping', 'check'];

/** The texts of documents that a server was given to embed, in the order in which they came. */
export function receivedTexts({ requests }: Pick<TestModelServer, 'requests'>): string[] {
  return requests
    .filter(({ path }) => /embed/.test(path))
    .flatMap(({ body }) => body?.input as string[])
    .filter(text => !QUESTIONS_OF_OURS.includes(text));
}
