import type { CommandLineEnvironment } from './commandLineEnvironment';
import { runCommandLine } from './runCommandLine';
import { createTerminal } from './terminal';

/**
 * Runs a command line as this process, and ends it: a connection that a server refused in the middle of the
 * login stays open until the server gives up, and would keep the process for a minute.
 */
export function runProcess(
  words: string[],
  given: Pick<CommandLineEnvironment, 'variables' | 'openStore'>,
): void {
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever reads has seen enough, such as `head`.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }
  runCommandLine(words, {
    ...given,
    directory: process.cwd(),
    terminal: createTerminal(process.stdout, process.stderr, process.env),
    input: process.stdin,
    signals: process,
  }).then(exitCode => {
    process.stdout.write('', () => process.exit(exitCode));
  });
}
