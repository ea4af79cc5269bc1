import { CommanderError } from 'commander';

/** What the process ends with; documented in `ask-ai --help`. */
export const EXIT_CODES = {
  success: 0,
  /** The backend failed, or something unexpected happened. */
  failure: 1,
  /** A wrong command, option or value. */
  usage: 2,
  nothingFound: 3,
  /** No backend answered. */
  unreachable: 4,
  /** The token is missing, unknown or lacks a right. */
  notAllowed: 5,
} as const;

export type FailureKind = Exclude<keyof typeof EXIT_CODES, 'success'>;

/** Ends the command with a message that says the remedy. */
export function failure(kind: FailureKind, message: string): CommanderError {
  return new CommanderError(EXIT_CODES[kind], `ask-ai.${kind}`, message);
}
