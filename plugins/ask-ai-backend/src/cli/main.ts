#!/usr/bin/env node
import { runProcess } from './runProcess';

runProcess(process.argv.slice(2), {
  variables: process.env,
  openStore: async (...given) => (await import('./openStore')).openStore(...given),
});
