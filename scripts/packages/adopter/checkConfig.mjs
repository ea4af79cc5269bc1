// Prints what Backstage's own check of a configuration says of two of them, as JSON.
import { loadConfigSchema } from '@backstage/config-loader';

const schema = await loadConfigSchema({ dependencies: ['backstage-plugin-ask-ai-backend'] });

/** With what Backstage's own packages require. */
function check(askAi, options) {
  const baseUrl = 'http://localhost';
  const database = { client: 'better-sqlite3', connection: ':memory:' };
  const data = { app: { baseUrl }, backend: { baseUrl, listen: ':7007', database }, askAi };
  return schema.process([{ context: 'adopter', data }], options);
}

function problemOf(askAi) {
  try {
    check(askAi);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

const secret = { defaultTopK: 5, vectorStore: { postgresql: { password: 'hidden' } } };
const [{ data }] = check(secret, { visibility: ['secret'] });

process.stdout.write(
  JSON.stringify({
    right: problemOf({ defaultTopK: 5 }),
    wrong: problemOf({ defaultTopK: 'five' }),
    secrets: data.askAi,
  }),
);
