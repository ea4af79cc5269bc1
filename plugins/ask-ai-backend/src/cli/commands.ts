import type { AskRequest, IndexStatus, SearchRequest } from 'backstage-plugin-ask-ai-common';
import type { BackendClient } from './backendClient';
import { EXIT_CODES } from './exitCodes';
import { formatAnswer, formatHits } from './formatResults';
import { formatIndexNote, formatStatus } from './formatStatus';
import { asJson } from './formatUnits';
import type { Terminal } from './terminal';

/** What a command works with. */
export interface CommandContext {
  client: BackendClient;
  terminal: Terminal;
  appUrl?: string;
  /** Print what the backend answered, for programs. */
  json: boolean;
}

/** @returns the exit code. */
export async function askCommand(request: AskRequest, context: CommandContext): Promise<number> {
  const { client, terminal, json, appUrl } = context;
  const answering = client.ask(request);
  const [response, status] = await terminal.whileWaiting(
    'Looking for an answer',
    Promise.all([answering, json ? undefined : optionalStatus(client)]),
  );
  terminal.print(json ? asJson(response) : formatAnswer(response, terminal, appUrl));
  noteIndex(status, terminal);
  return response.found ? EXIT_CODES.success : EXIT_CODES.nothingFound;
}

/** @returns the exit code. */
export async function searchCommand(
  request: SearchRequest,
  context: CommandContext,
): Promise<number> {
  const { client, terminal, json, appUrl } = context;
  const [response, status] = await terminal.whileWaiting(
    'Searching',
    Promise.all([client.search(request), json ? undefined : optionalStatus(client)]),
  );
  const { results } = response;
  if (json) {
    terminal.print(asJson(response));
  } else {
    terminal.print(results.length > 0 ? formatHits(results, terminal, appUrl) : 'Nothing found.');
  }
  noteIndex(status, terminal);
  return results.length > 0 ? EXIT_CODES.success : EXIT_CODES.nothingFound;
}

/** @returns the exit code. */
export async function statusCommand({ client, terminal, json }: CommandContext): Promise<number> {
  const status = await terminal.whileWaiting('Asking the backend', client.status());
  terminal.print(json ? asJson(status) : formatStatus(status, terminal, new Date()));
  if (!json) {
    noteIndex(status.state === 'idle' ? status : undefined, terminal);
    warn(status.vectorIndex?.message, terminal);
  }
  return EXIT_CODES.success;
}

/** An answer is worth printing even when the state of the index can't be had. */
async function optionalStatus(client: BackendClient): Promise<IndexStatus | undefined> {
  try {
    return await client.status();
  } catch {
    return undefined;
  }
}

function noteIndex(status: IndexStatus | undefined, terminal: Terminal): void {
  warn(status && formatIndexNote(status), terminal);
}

function warn(message: string | undefined, terminal: Terminal): void {
  if (message) {
    terminal.note(terminal.style('yellow', message));
  }
}
