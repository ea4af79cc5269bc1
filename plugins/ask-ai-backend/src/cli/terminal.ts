import { stripVTControlCharacters, styleText } from 'node:util';

/** Lines longer than this are hard to read, however wide the window is. */
const WIDEST_COLUMNS = 100;
/** Of a terminal that does not tell. */
const NARROW_COLUMNS = 80;
const ERASE_LINE = '\r\u001b[2K';

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
  /** Whether a line of standard error can be drawn anew. */
  readonly canRedraw: boolean;
  /** The result, to standard output, with a line break at its end. */
  print(text: string): void;
  /** What is no result, to standard error, with a line break at its end. */
  note(text: string): void;
  /** Leaves the text alone where colours are not wanted. */
  style(style: TextStyle, text: string): string;
  /**
   * Puts a line at the end of standard error in place of the one drawn before; `''` takes it away, as
   * do `print` and `note`. Does nothing where lines can't be redrawn.
   */
  drawLine(text: string): void;
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
  const canRedraw = stderr.isTTY === true;
  let isDrawn = false;
  const drawLine = (text: string) => {
    if (canRedraw && (isDrawn || text !== '')) {
      stderr.write(`${ERASE_LINE}${cut(text, stderr.columns ?? NARROW_COLUMNS)}`);
      isDrawn = text !== '';
    }
  };
  const write = (stream: OutputStream, text: string) => {
    drawLine('');
    stream.write(`${text}\n`);
  };
  return {
    isInteractive,
    canRedraw,
    columns: isInteractive
      ? Math.min(stdout.columns ?? WIDEST_COLUMNS, WIDEST_COLUMNS)
      : Number.POSITIVE_INFINITY,
    print: text => write(stdout, text),
    note: text => write(stderr, text),
    style,
    drawLine,
    whileWaiting: (label, work) =>
      canRedraw && isInteractive ? withSpinner(label, work, drawLine, style) : work,
  };
}

/** A line that is broken by the window can't be redrawn. */
function cut(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length < columns ? text : plain.slice(0, columns - 1);
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

async function withSpinner<T>(
  label: string,
  work: Promise<T>,
  drawLine: Terminal['drawLine'],
  style: Terminal['style'],
): Promise<T> {
  let frame = 0;
  const draw = () => {
    drawLine(`${style('cyan', FRAMES[frame % FRAMES.length] ?? '')} ${label}`);
    frame += 1;
  };
  draw();
  const timer = setInterval(draw, FRAME_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    drawLine('');
  }
}
