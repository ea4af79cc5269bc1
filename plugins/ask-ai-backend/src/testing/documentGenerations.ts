import type { Documents } from './DocumentServer';

/** Documents that go, and come, from one generation to the next. */
const TURNOVER = 3;

/**
 * Documents of several sections, each of one chunk. From one generation to the next, of four documents
 * one stays as it is and three get a new section for an old one; some become shorter or longer, and a
 * few go and come.
 *
 * @param generation - from 1.
 */
export function documentsOf(generation: number, count: number): Documents {
  const first = (generation - 1) * TURNOVER;
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const number = first + index;
      return [entityIdOf(number), sectionsOf(number, generation)];
    }),
  );
}

function entityIdOf(number: number): string {
  return `component:default/service-${String(number).padStart(4, '0')}`;
}

function sectionsOf(number: number, generation: number): string[] {
  const length = 3 + ((number + Math.floor((number + generation) / 5)) % 4);
  return Array.from({ length }, (_, part) => {
    const isOften = part === number % 3 && (number + generation) % 4 !== 0;
    return textOf(number, part, isOften ? generation : 1);
  });
}

function textOf(number: number, part: number, edition: number): string {
  return (
    `Part ${part} of the handbook of service ${number}, edition ${edition}. ` +
    `It listens on port ${1_000 + number * 7 + part} and is restarted after ${edition + part} minutes. ` +
    'Whoever is on call reads the runbook before the deployment is rolled back.'
  );
}
