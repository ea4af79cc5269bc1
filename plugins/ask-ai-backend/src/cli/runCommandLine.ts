import { type Command, CommanderError } from 'commander';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { EXIT_CODES, exitCodeOf } from './exitCodes';
import { createProgram } from './program';

/**
 * Runs one command. Errors are printed as one message, without a stack.
 *
 * @param words - without the program: `['ask', 'How do I ...?']`.
 * @returns the exit code.
 */
export async function runCommandLine(
  words: readonly string[],
  environment: CommandLineEnvironment,
): Promise<number> {
  const { terminal } = environment;
  let exitCode: number = EXIT_CODES.success;
  const program = createProgram(environment, code => {
    exitCode = code;
  });
  for (const command of [program, ...program.commands.flatMap(one => [one, ...one.commands])]) {
    throwInsteadOfExit(command, environment);
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      const { message } = error as Error;
      const exitCode = exitCodeOf(error as Error);
      terminal.note(terminal.style('red', exitCode ? message : `Unexpected: ${message}`));
      return exitCode ?? EXIT_CODES.failure;
    }
    if (!error.code.startsWith('commander.')) {
      terminal.note(terminal.style('red', error.message));
      return error.exitCode;
    }
    // Commander has printed it already; help that was asked for is no error.
    return error.exitCode === 0 ? EXIT_CODES.success : EXIT_CODES.usage;
  }
}

function throwInsteadOfExit(command: Command, { terminal }: CommandLineEnvironment): void {
  command.exitOverride().configureOutput({
    writeOut: text => terminal.print(text.trimEnd()),
    writeErr: text => terminal.note(text.trimEnd()),
    outputError: (text, write) => write(terminal.style('red', text.trimEnd())),
  });
}
