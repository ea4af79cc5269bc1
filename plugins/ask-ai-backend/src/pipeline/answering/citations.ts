/** A citation of one or more sources: `[1]`, `[1, 2]`. Not a Markdown link and not code. */
const CITATION = /\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\()/g;

/** Takes out citations that name no source; `[1]` names the first of `sourceCount`. */
export function checkCitations(answer: string, sourceCount: number): string {
  return outsideCode(answer, text =>
    text.replace(/ ?\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\()/g, citation => {
      const lead = citation.startsWith(' ') ? ' ' : '';
      const numbers = citedNumbers(citation).filter(number => number >= 1 && number <= sourceCount);
      return numbers.length === 0 ? '' : `${lead}[${numbers.join(', ')}]`;
    }),
  );
}

/** The numbers that a text cites, each once, in order. */
export function citedNumbers(text: string): number[] {
  const numbers = [...text.matchAll(CITATION)].flatMap(([, list = '']) =>
    list.split(',').map(Number),
  );
  return [...new Set(numbers)];
}

/** `array[0]` in code is no citation. */
function outsideCode(text: string, change: (text: string) => string): string {
  return text
    .split(/(```[\s\S]*?(?:```|$)|`[^`\n]*`)/)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}
