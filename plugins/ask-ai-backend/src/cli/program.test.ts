import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { recordTerminal } from '../testing/recordTerminal';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { createProgram } from './program';
import { runCommandLine } from './runCommandLine';

const OPERATIONS = readFileSync(resolve(__dirname, '../../../../docs/OPERATIONS.md'), 'utf8');

/** Print a text, or nothing but what they were given. */
const WITHOUT_JSON = ['secret generate-key', 'secret encrypt', 'secret decrypt'];

function environment() {
  const { terminal, printed, noted } = recordTerminal();
  const surroundings: CommandLineEnvironment = {
    variables: {},
    directory: tmpdir(),
    terminal,
    signals: new EventEmitter(),
    openStore: () => Promise.reject(new Error('not called')),
  };
  return { surroundings, printed, noted };
}

async function run(words: string[]) {
  const { surroundings, printed, noted } = environment();
  const exitCode = await runCommandLine(words, surroundings);
  return { exitCode, printed: printed(), noted: noted() };
}

const program = createProgram(environment().surroundings, () => {});
const commands = program.commands.flatMap(command => allOf(command));
const leaves = commands.filter(({ command }) => command.commands.length === 0);

function allOf(command: Command, before = ''): { path: string; command: Command }[] {
  const path = `${before} ${command.name()}`.trim();
  return [{ path, command }, ...command.commands.flatMap(inner => allOf(inner, path))];
}

describe('every command of ask-ai', () => {
  it('is one of those that docs/OPERATIONS.md lists, and no other is', () => {
    const [, section = ''] = OPERATIONS.split('\n## The commands\n');
    const table = section.split('\n## ')[0] ?? '';
    const listed = [...table.matchAll(/^\| `([a-z]+)`/gm)].map(([, name]) => name);
    expect(program.commands.map(command => command.name()).sort()).toEqual(listed.sort());
  });

  it.each(commands)(
    'helps with $path: what it does, examples and options',
    async ({ path, command }) => {
      const { exitCode, printed, noted } = await run([...path.split(' '), '--help']);
      expect([exitCode, noted]).toEqual([0, '']);
      expect(command.description()).toMatch(/^[A-Z].*\.$/s);
      expect(printed).toContain(`Examples:\n  `);
      expect(printed).toContain(`ask-ai ${path.split(' ')[0]}`);
      for (const option of command.options) {
        expect([option.flags, option.description.length > 5]).toEqual([option.flags, true]);
      }
      for (const argument of command.registeredArguments) {
        expect([argument.name(), argument.description.length > 5]).toEqual([argument.name(), true]);
      }
    },
  );

  it.each(leaves)('prints JSON of $path where it prints data', ({ path, command }) => {
    const hasJson = command.options.some(({ long }) => long === '--json');
    expect(hasJson).toBe(!WITHOUT_JSON.includes(path));
  });

  it.each(leaves)(
    'refuses an option that $path does not have, and names the nearest',
    async ({ path, command }) => {
      const long = command.options[0]?.long ?? '--help';
      const { exitCode, printed, noted } = await run([...path.split(' '), `${long}x`]);
      expect([exitCode, printed]).toEqual([2, '']);
      expect(noted).toContain(`unknown option '${long}x'`);
      expect(noted).toContain(`(Did you mean ${long}?)`);
    },
  );

  it.each(program.commands.map(command => command.name()))(
    'is meant by %s with a letter too many',
    async name => {
      const { exitCode, printed, noted } = await run([`${name}x`]);
      expect([exitCode, printed]).toEqual([2, '']);
      expect(noted).toContain(`unknown command '${name}x'\n(Did you mean ${name}?)`);
    },
  );
});
