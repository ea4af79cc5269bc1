import { CommanderError } from 'commander';
import { ConfigurationError, VectorStoreUnavailableError } from '../errors';

/** What the process ends with; documented in `ask-ai --help`. */
export const EXIT_CODES = {
  success: 0,
  /** The backend or the database failed, or what was checked is not as it should be. */
  failure: 1,
  /** A wrong command, option or value. */
  usage: 2,
  /** Nothing was found, or nothing is stored. */
  nothingFound: 3,
  /** No backend and no database answered. */
  unreachable: 4,
  /** The token is missing, unknown or lacks a right. */
  notAllowed: 5,
  /** Ctrl-C, as shells count it: 128 and the number of SIGINT. */
  interrupted: 130,
} as const;

export type FailureKind = Exclude<keyof typeof EXIT_CODES, 'success'>;

/** Ends the command with a message that says the remedy. */
export function failure(kind: FailureKind, message: string): CommanderError {
  return new CommanderError(EXIT_CODES[kind], `ask-ai.${kind}`, message);
}

/** For an error of the plugin, whose message says the remedy; `undefined` for any other. */
export function exitCodeOf(error: Error): number | undefined {
  if (error instanceof VectorStoreUnavailableError) {
    return EXIT_CODES.unreachable;
  }
  if (error instanceof ConfigurationError) {
    return EXIT_CODES.usage;
  }
  return 'statusCode' in error ? EXIT_CODES.failure : undefined;
}
