import type { Command } from 'commander';
import { decryptText, encryptText, generateKey, isKey } from '../lib/encryptedText';
import { KEY_VARIABLE } from '../services/config/decryptSecrets';
import type { CommandLineEnvironment } from './commandLineEnvironment';
import { EXIT_CODES, failure } from './exitCodes';

const EXAMPLES = `
Examples:
  export ${KEY_VARIABLE}=$(ask-ai secret generate-key)
  ask-ai secret encrypt < password.txt
  ask-ai secret decrypt < encrypted.txt

Exit code: 0 when it is done, 2 when the key or the text is not as it must be.`;

/** Encrypts what stands in configuration files. Texts come by standard input, which no shell remembers. */
export function addSecretCommands(
  program: Command,
  { variables, terminal, input }: CommandLineEnvironment,
  finish: (exitCode: number) => void,
): void {
  const secret = program
    .command('secret')
    .summary('encrypt a secret of the configuration')
    .description(
      `Encrypts passwords and connection strings that stand in configuration files. The key is in ${KEY_VARIABLE}.`,
    )
    .addHelpText('after', EXAMPLES);
  secret
    .command('generate-key')
    .description(`Prints a new key for ${KEY_VARIABLE}.`)
    .addHelpText('after', EXAMPLES)
    .action(() => {
      terminal.print(generateKey());
      finish(EXIT_CODES.success);
    });
  secret
    .command('encrypt')
    .description('Encrypts the text from standard input, without the line break at its end.')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const key = readKey(variables);
      terminal.print(encryptText(await readText(input), key));
      finish(EXIT_CODES.success);
    });
  secret
    .command('decrypt')
    .description('Decrypts a text that begins with enc:v1: from standard input.')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const key = readKey(variables);
      const result = decryptText(await readText(input), key);
      if ('problem' in result) {
        throw failure('usage', `The text can't be decrypted: ${result.problem}.`);
      }
      terminal.print(result.text);
      finish(EXIT_CODES.success);
    });
}

function readKey(variables: CommandLineEnvironment['variables']): string {
  const key = variables[KEY_VARIABLE] ?? '';
  if (!isKey(key)) {
    throw failure(
      'usage',
      `Set ${KEY_VARIABLE} to a key of 32 bytes as base64: ask-ai secret generate-key prints one.`,
    );
  }
  return key;
}

async function readText(input: CommandLineEnvironment['input']): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of input ?? []) {
    pieces.push(Buffer.from(piece));
  }
  const text = Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text === '') {
    throw failure('usage', 'Give the text by standard input: ask-ai secret encrypt < file');
  }
  return text;
}
