import { createTerminal, type OutputStream, type Terminal } from '../cli/terminal';

/** A terminal that remembers what was written to it. */
export interface RecordedTerminal {
  terminal: Terminal;
  /** To standard output. */
  printed(): string;
  /** To standard error. */
  noted(): string;
}

/** @param stream - what both outputs are; not a terminal when nothing is given. */
export function recordTerminal(
  stream: Pick<OutputStream, 'isTTY' | 'columns'> = {},
): RecordedTerminal {
  let printed = '';
  let noted = '';
  const stdout = {
    ...stream,
    write: (text: string) => {
      printed += text;
    },
  };
  const stderr = {
    ...stream,
    write: (text: string) => {
      noted += text;
    },
  };
  return {
    terminal: createTerminal(stdout, stderr, { NO_COLOR: '1' }),
    printed: () => printed,
    noted: () => noted,
  };
}
