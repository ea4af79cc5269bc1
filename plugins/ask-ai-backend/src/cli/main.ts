#!/usr/bin/env node
import { runCommandLine } from './runCommandLine';
import { createTerminal } from './terminal';

runCommandLine(process.argv.slice(2), {
  variables: process.env,
  directory: process.cwd(),
  terminal: createTerminal(process.stdout, process.stderr, process.env),
}).then(exitCode => {
  process.exitCode = exitCode;
});
