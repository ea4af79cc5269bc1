import type { AskResponse, IndexStatus } from 'backstage-plugin-ask-ai-common';

export class CheckFailure extends Error {}

export function check(condition: unknown, message: string): void;

export class DevBackend {
  readonly url: string;
  readonly configFile: string;
  static create(directory: string): Promise<DevBackend>;
  configure(askAi: object): void;
  start(stdio?: 'inherit' | 'ignore'): void;
  stop(): Promise<void>;
  close(): Promise<void>;
  waitForRun(previousId: string | undefined): Promise<IndexStatus>;
  waitForHealth(): Promise<true>;
  npm(
    words: string[],
    variables?: Record<string, string>,
  ): { status: number | null; stdout: string; stderr: string };
  ask(question: string): AskResponse;
}
