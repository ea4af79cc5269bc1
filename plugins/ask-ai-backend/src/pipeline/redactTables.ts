import { SECRET_NAME } from './redactPatterns';
import { isNameInTable, isPlausibleSecret } from './redactPlausibility';

/** Characters; a longer cell is no label. */
const LONGEST_LABEL = 80;

/** `DB password`, `client_secret`, `**API keys**`, `Password (production)`. */
const LABEL = new RegExp(`^[\\w. -]{0,40}${SECRET_NAME}(?: value)?(?: \\([^()]{0,40}\\))?$`, 'i');

const ANY_NAME = new RegExp(SECRET_NAME, 'i');

/** Below the header of Markdown, and around tables that a command printed. */
const RULE = /^[\s>|+:-]+$/;

/** Around the text of a cell. */
const MARKS = /^[`*"']{1,3}|[`*"':]{1,4}$/g;

/** Nobody reads a row of more. */
const MOST_CELLS = 50;

const NONE: ReadonlySet<number> = new Set();

const SHORTEST_SECRET = 8;

/** Replaces the secrets in tables: what stands in a row behind `Password`, or in a column below it. */
export function redactTables(text: string): { text: string; count: number } {
  let count = 0;
  let isTable = false;
  let secretColumns = NONE;
  let previous: readonly string[] = [];
  const redactLine = (line: string): string => {
    if (line.includes('-') && RULE.test(line)) {
      isTable = previous.length > 0;
      secretColumns = isTable ? labelledColumns(previous) : NONE;
      previous = [];
      return line;
    }
    const cells = line.includes('|') ? line.split(/(?<!\\)\|/, MOST_CELLS + 1) : [];
    if (cells.length === 0 || cells.length > MOST_CELLS) {
      isTable = false;
      secretColumns = NONE;
      previous = [];
      return line;
    }
    previous = cells;
    if (!isTable && !/^[\s>]*\|/.test(line)) {
      return line;
    }
    let isLabelled = false;
    return cells
      .map((cell, column) => {
        const secret = isLabelled || secretColumns.has(column) ? secretIn(cell) : undefined;
        isLabelled ||= isLabel(cell);
        if (secret === undefined) {
          return cell;
        }
        count++;
        return cell.replace(secret, '[redacted: assigned secret]');
      })
      .join('|');
  };
  const mayHaveOne = text.includes('|') && ANY_NAME.test(text);
  const redacted = mayHaveOne ? text.split('\n').map(redactLine).join('\n') : text;
  return { text: redacted, count };
}

function labelledColumns(header: readonly string[]): ReadonlySet<number> {
  return new Set(header.flatMap((cell, column) => (isLabel(cell) ? [column] : [])));
}

function isLabel(cell: string): boolean {
  return cell.length <= LONGEST_LABEL && LABEL.test(cell.trim().replace(MARKS, ''));
}

function secretIn(cell: string): string | undefined {
  const value = cell.trim().replace(MARKS, '');
  return value.length >= SHORTEST_SECRET && isPlausibleSecret(value) && !isNameInTable(value)
    ? value
    : undefined;
}
