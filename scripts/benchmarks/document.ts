import type { Report } from '../../bench/report';
import { SUITES } from '../../bench/suites';
import { COLUMNS, toCells } from '../../bench/table';
import { markdownTable } from '../lib/markdownTable';

/** docs/BENCHMARKS.md, which names nothing that is not in the reports. */
export function benchmarksDocument(reports: readonly Report[]): string {
  return `# Benchmarks

<!-- Made by \`npm run benchmarks\` from bench/results: edit neither this file nor the pictures. -->

\`npm run bench\` measures the product in one process with what it is compared with, on the same data, call by
call in turn: the floor is node-postgres alone with the same table, index and settings, or what the line
names. A ratio is that of the median of three rounds. The machines of others are faster or slower; the ratios
travel, the times do not. Targets are those of the project; one that is missed is marked.

The vectors are drawn around 200 centres, normalised, and the queries likewise, not from the stored rows.

![Speed against the floor](images/benchmarks-ratio.svg)

![Recall and latency](images/benchmarks-recall.svg)

${reports.map(section).join('\n')}
## Make this page again

\`npm run bench -- --help\` says how long each suite takes. A run writes over the file of the one before:

\`\`\`sh
npm run bench -- search --json bench/results/search.json
npm run benchmarks
\`\`\`
`;
}

function section(report: Report): string {
  const { suite, rows, dimensions, date, node, postgresql, pgvector, cpus, cpu } = report;
  const { what: about = '', rowsAre = 'rows' } = SUITES.find(({ name }) => name === suite) ?? {};
  return `## ${suite}

${about.charAt(0).toUpperCase()}${about.slice(1)}.

${rows.toLocaleString('en-US')} ${rowsAre}, ${dimensions} dimensions; ${date.slice(0, 10)}, Node ${node.replace(/^v/, '')}, PostgreSQL ${postgresql}, pgvector ${pgvector}, ${cpus} processors (${cpu}).

\`\`\`sh
npm run bench -- ${suite}${rowsOption(report)}
\`\`\`

${markdownTable([COLUMNS, ...report.measurements.map(toCells)])}
`;
}

function rowsOption({ suite, rows, dimensions }: Report): string {
  const usual = SUITES.find(({ name }) => name === suite)?.rows;
  return `${rows === usual ? '' : ` --rows ${rows}`}${dimensions === 384 ? '' : ` --dimensions ${dimensions}`}`;
}
