import { styleText } from 'node:util';

/** Lines longer than this are hard to read, however wide the window is. */
const WIDEST_COLUMNS = 100;

export type TextStyle = 'bold' | 'dim' | 'cyan' | 'green' | 'yellow' | 'red' | 'underline';

/** The part of a stream that is used; `process.stdout` and `process.stderr` have it. */
export interface OutputStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Where a command prints. */
export interface Terminal {
  /** Whether a person watches the output. */
  readonly isInteractive: boolean;
  /** Characters a line may have; infinite when the output goes to a file or a program. */
  readonly columns: number;
  /** The result, to standard output, with a line break at its end. */
  print(text: string): void;
  /** What is no result, to standard error, with a line break at its end. */
  note(text: string): void;
  /** Leaves the text alone where colours are not wanted. */
  style(style: TextStyle, text: string): string;
  /** Shows that something goes on while `work` is under way, to a person only. */
  whileWaiting<T>(label: string, work: Promise<T>): Promise<T>;
}

export function createTerminal(
  stdout: OutputStream,
  stderr: OutputStream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isInteractive = stdout.isTTY === true;
  const isColoured = wantsColours(isInteractive, environment);
  const style = (textStyle: TextStyle, text: string) =>
    isColoured ? styleText(textStyle, text, { validateStream: false }) : text;
  return {
    isInteractive,
    columns: isInteractive
      ? Math.min(stdout.columns ?? WIDEST_COLUMNS, WIDEST_COLUMNS)
      : Number.POSITIVE_INFINITY,
    print: text => void stdout.write(`${text}\n`),
    note: text => void stderr.write(`${text}\n`),
    style,
    whileWaiting: (label, work) =>
      stderr.isTTY === true && isInteractive ? withSpinner(label, work, stderr, style) : work,
  };
}

/** https://no-color.org and https://force-color.org */
function wantsColours(
  isInteractive: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (environment.NO_COLOR) {
    return false;
  }
  return environment.FORCE_COLOR
    ? environment.FORCE_COLOR !== '0'
    : isInteractive && environment.TERM !== 'dumb';
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Fast enough to look like movement, slow enough for a remote terminal. */
const FRAME_MS = 90;
const ERASE_LINE = '\r\u001b[2K';

async function withSpinner<T>(
  label: string,
  work: Promise<T>,
  stream: OutputStream,
  style: Terminal['style'],
): Promise<T> {
  let frame = 0;
  const draw = () => {
    stream.write(`${ERASE_LINE}${style('cyan', FRAMES[frame % FRAMES.length] ?? '')} ${label}`);
    frame += 1;
  };
  draw();
  const timer = setInterval(draw, FRAME_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    stream.write(ERASE_LINE);
  }
}
