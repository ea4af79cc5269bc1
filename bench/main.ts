import { Argument, Command, InvalidArgumentError } from 'commander';
import { holds, type Measurement } from './measurement';
import { type Report, startReport, writeReport } from './report';
import { openBenchServer } from './server';
import { FULL_EFFORT, SHORT_EFFORT, type Suite } from './suite';
import { SUITES } from './suites';
import { formatLine, formatTable } from './table';

interface CommandLine {
  rows?: number;
  dimensions: number;
  short: boolean;
  json?: string;
}

const print = (text: string) => process.stdout.write(`${text}\n`);
const tell = (text: string) => process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  const program = new Command('npm run bench --')
    .description('Measures the product against the raw floor, in one process on the same data.')
    .addArgument(new Argument('<suite>', 'what to measure').choices(SUITES.map(({ name }) => name)))
    .option('--rows <n>', 'rows of the data set (default: as the suite says)', positiveInteger)
    .option('--dimensions <d>', 'numbers in a vector', positiveInteger, 384)
    .option('--short', 'few rows and calls: shows that it works, the figures mean nothing', false)
    .option('--json <file>', 'write the measurements to a file, after each of them')
    .addHelpText('after', `\n${helpOnSuites()}`)
    .showHelpAfterError('(npm run bench -- --help explains the suites)')
    .parse();
  const suite = SUITES.find(({ name }) => name === program.args[0]) as Suite;
  await run(suite, program.opts<CommandLine>());
}

async function run(suite: Suite, { rows, dimensions, short, json }: CommandLine): Promise<void> {
  const server = await openBenchServer(suite);
  const report = startReport(suite, server, {
    rows: rows ?? (short ? suite.shortRows : suite.rows),
    dimensions,
    short,
  });
  const write = () => json !== undefined && writeReport(report, json);
  try {
    write();
    await suite.run({
      rows: report.rows,
      dimensions,
      effort: short ? SHORT_EFFORT : FULL_EFFORT,
      newDatabase: server.newDatabase,
      report: (measurement: Measurement) => {
        tell(formatLine(measurement));
        report.measurements.push({ ...measurement, holds: holds(measurement) });
        write();
      },
      progress: text => tell(`... ${text}`),
      logger: { debug: () => {}, info: () => {}, warn: tell },
    });
  } finally {
    // Also what a run found before it failed.
    print(`\n${title(report)}\n${formatTable(report.measurements)}`);
    await server.close();
  }
}

function title({ suite, rows, dimensions, node, postgresql, pgvector, cpus, short }: Report) {
  const warning = short ? ' (short form: the figures mean nothing)' : '';
  return `${suite}: ${rows} rows, ${dimensions} dimensions; Node ${node}, PostgreSQL ${postgresql}, pgvector ${pgvector}, ${cpus} processors${warning}`;
}

function helpOnSuites(): string {
  const suites = SUITES.map(
    ({ name, what, rows, takes }) =>
      `  ${name.padEnd(10)} ${what}\n             ${rows.toLocaleString('en-US')} rows, ${takes} on two cores`,
  );
  return `Suites:
${suites.join('\n')}

The server is the one that npm test finds or starts: ASK_AI_TEST_DATABASE_URL names one. Without that
variable the suite scale starts one of its own, with memory for a million rows.
The table goes to standard output, progress to standard error. A target that is missed is marked and
fails nothing; the exit code is 1 when a result is wrong or the suite can't run.`;
}

function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return number;
}

/** With what caused it: the product's messages leave out what the database said. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause ? `${error.message}\n  by: ${describeError(error.cause)}` : error.message;
}

main()
  .catch(error => {
    tell(describeError(error));
    process.exitCode = 1;
  })
  // The clients of Backstage's cache service can't be closed, and look for their server for ever.
  .finally(() => process.exit());
