#!/usr/bin/env node
import { runCommandLine } from './runCommandLine';
import { createTerminal } from './terminal';

runCommandLine(process.argv.slice(2), {
  variables: process.env,
  directory: process.cwd(),
  terminal: createTerminal(process.stdout, process.stderr, process.env),
  input: process.stdin,
  signals: process,
  openStore: async (...given) => (await import('./openStore')).openStore(...given),
}).then(exitCode => {
  process.exitCode = exitCode;
});
