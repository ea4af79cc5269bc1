export default { test: { include: ['contract.vitest.mjs'] } };
