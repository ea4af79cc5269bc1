import { LineCounter, parseAllDocuments } from 'yaml';

/**
 * What is wrong with a YAML file, a line each: syntax, keys that are there twice, tags that nobody knows,
 * a file without content.
 *
 * @param {string} path
 * @param {string} text
 * @returns {{ problems: string[], values: unknown[] }} the values only where nothing is wrong.
 */
export function readYaml(path, text) {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter,
    strict: true,
    uniqueKeys: true,
    merge: true,
    prettyErrors: false,
  });
  if (!Array.isArray(documents) || documents.length === 0) {
    return { problems: [`${path}: has no content`], values: [] };
  }
  const problems = documents.flatMap(({ errors, warnings }) =>
    [...errors, ...warnings].map(
      ({ message, pos }) => `${path}:${lineCounter.linePos(pos[0]).line}: ${message}`,
    ),
  );
  const tabs = text.split('\n').findIndex(line => /^\s*\t/.test(line));
  if (problems.length === 0 && tabs >= 0) {
    problems.push(`${path}:${tabs + 1}: a tab in the indentation`);
  }
  if (problems.length > 0) {
    return { problems, values: [] };
  }
  try {
    return { problems, values: documents.map(document => document.toJS()) };
  } catch (error) {
    // An alias of an anchor that there is not.
    return { problems: [`${path}: ${error.message}`], values: [] };
  }
}
