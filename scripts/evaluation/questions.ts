import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const answerableSchema = z.object({
  id: z.string(),
  question: z.string(),
  /** Of the entity whose documentation answers. */
  entityRef: z.string(),
  /** Sections that answer, as in the search index of the documentation: `page/#section`. */
  locations: z.array(z.string()),
  /** Texts of which one stands in every section that answers. */
  answerContains: z.array(z.string()),
  style: z.string(),
});

const unanswerableSchema = z.object({
  id: z.string(),
  question: z.string(),
  unanswerable: z.literal(true),
});

export type AnswerableQuestion = z.infer<typeof answerableSchema>;
export type UnanswerableQuestion = z.infer<typeof unanswerableSchema>;

/** What a file of questions holds. */
export interface Questions {
  answerable: AnswerableQuestion[];
  unanswerable: UnanswerableQuestion[];
}

/**
 * Reads a file with one JSON object a line.
 *
 * @throws an Error that names the line that is neither form of question.
 */
export async function readQuestions(file: string): Promise<Questions> {
  return parseQuestions(await readFile(file, 'utf8'));
}

export function parseQuestions(text: string): Questions {
  const questions: Questions = { answerable: [], unanswerable: [] };
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') {
      continue;
    }
    const value = parseLine(line, index + 1);
    const unanswerable = unanswerableSchema.safeParse(value);
    if (unanswerable.success) {
      questions.unanswerable.push(unanswerable.data);
      continue;
    }
    const answerable = answerableSchema.safeParse(value);
    if (!answerable.success) {
      throw new Error(`Line ${index + 1} is no question: ${z.prettifyError(answerable.error)}`);
    }
    questions.answerable.push(answerable.data);
  }
  return questions;
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`Line ${number} is not JSON`, { cause });
  }
}
