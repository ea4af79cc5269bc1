import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { root } from './root.mjs';

/** What others may import, and the file beside the package.json that describes it. */
const ENTRY_POINTS = [
  { folder: 'plugins/ask-ai-common', source: 'index', report: 'report.api.md' },
  { folder: 'plugins/ask-ai-node', source: 'index', report: 'report.api.md' },
  { folder: 'plugins/ask-ai-node', source: 'testUtils', report: 'report-testUtils.api.md' },
  { folder: 'plugins/ask-ai-backend', source: 'index', report: 'report.api.md' },
];

const NONE = { logLevel: 'none', addToApiReportFile: false };

/**
 * Describes the API of each entry point, from the declarations that tsc wrote to dist-types.
 *
 * @param {{ write: boolean }} options whether to write the reports; otherwise they are compared.
 * @returns {string[]} reports that are not as the code is, from the root of the repository.
 */
export function describeApis({ write }) {
  const configs = ENTRY_POINTS.map(prepare);
  const [first] = configs;
  // One program for all, which takes most of the time.
  const compilerState = CompilerState.create(first, {
    additionalEntryPoints: configs.map(config => config.mainEntryPointFilePath),
  });
  return configs
    .filter(config => isOutdated(config, compilerState, write))
    .map(({ reportFilePath }) => relative(root, reportFilePath));
}

function isOutdated(config, compilerState, write) {
  const { apiReportChanged } = Extractor.invoke(config, {
    compilerState,
    localBuild: write,
    messageCallback: message => {
      if (message.logLevel !== 'error') {
        message.handled = true;
      }
    },
  });
  return apiReportChanged;
}

function prepare({ folder, source, report }) {
  const projectFolder = join(root, folder);
  const entryPoint = join(root, 'dist-types', folder, 'src', `${source}.d.ts`);
  if (!existsSync(entryPoint)) {
    throw new Error(`${relative(root, entryPoint)} is missing: run npx tsc -p tsconfig.json`);
  }
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return ExtractorConfig.prepare({
    configObjectFullPath: join(projectFolder, 'api-extractor.json'),
    packageJsonFullPath: join(projectFolder, 'package.json'),
    configObject: {
      projectFolder,
      mainEntryPointFilePath: entryPoint,
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions, files: [entryPoint] } },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: projectFolder,
        reportTempFolder: join(root, 'dist-types', 'reports', folder),
        // The name has no place for the tag of a release.
        reportVariants: ['complete'],
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        // tsc has reported them.
        compilerMessageReporting: { default: NONE },
        extractorMessageReporting: {
          default: { logLevel: 'none', addToApiReportFile: true },
          // Packages of ours are imported as source.
          'ae-wrong-input-file-type': NONE,
          // Everything that is exported is public.
          'ae-missing-release-tag': NONE,
          'ae-undocumented': NONE,
          // For people who read the source, a comment may name what is not exported.
          'ae-unresolved-link': NONE,
        },
        tsdocMessageReporting: { default: NONE },
      },
    },
  });
}
