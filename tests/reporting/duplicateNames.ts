/** The names that occur more than once, each once, in the order of their second occurrence. */
export function duplicateNames(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) < index))];
}
