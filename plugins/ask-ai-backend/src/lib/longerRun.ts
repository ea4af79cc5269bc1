/** A run of the character that is longer than any in the text, and at least `shortest` long. */
export function longerRun(text: string, character: string, shortest: number): string {
  let longest = 0;
  let run = 0;
  for (const each of text) {
    run = each === character ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return character.repeat(Math.max(shortest, longest + 1));
}
