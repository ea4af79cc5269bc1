/**
 * Whether a version is in a range of the form that package.json's `engines` has here: alternatives
 * separated by `||`, each a version (`22`: any 22) or `>=` and a version (`>=20.19`).
 *
 * @param {string} version such as `20.19.1`
 * @param {string} range such as `>=20.19 || 22`
 */
export function isInRange(version, range) {
  return range.split('||').some(alternative => {
    const [, atLeast, wanted] = /^\s*(>=)?\s*v?(\d+(?:\.\d+)*)\s*$/.exec(alternative) ?? [];
    if (!wanted) {
      throw new Error(`package.json: engines.node "${range}" has a form that is not known here`);
    }
    const found = version.split('.').map(Number);
    const parts = wanted.split('.').map(Number);
    const difference = parts.map((part, i) => (found[i] ?? 0) - part).find(d => d !== 0) ?? 0;
    return atLeast ? difference >= 0 : difference === 0;
  });
}
