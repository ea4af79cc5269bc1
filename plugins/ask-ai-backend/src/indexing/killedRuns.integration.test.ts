import { expect, it } from 'vitest';
import { mulberry32 } from '../../../../bench/vectors';
import { say } from '../../../../tests/services/say';
import { createTestDatabase } from '../../../../tests/services/testDatabase';
import { killIndexRuns } from '../testing/killIndexRuns';
import { planKills } from '../testing/killMoments';

/** A short form of `npm run campaign -- --kills 20`. */
const KILLS = 6;

it(`indexes every document once, and shows no reader a part of one, although its process is killed ${KILLS} times`, async () => {
  const database = await createTestDatabase({ name: 'killed' });
  const reference = await createTestDatabase({ name: 'reference' });
  try {
    const report = await killIndexRuns({
      databases: { url: database.url, referenceUrl: reference.url },
      generations: planKills(KILLS, KILLS / 3),
      documents: 60,
      random: mulberry32(1),
    });
    say(
      `${report.kills} kills, ${report.unfinished} of them in the middle of a run; ` +
        `meanwhile ${report.looks} looks and ${report.searches} searches`,
    );
    expect(report.kills).toBe(KILLS);
    expect(report.unfinished).toBeGreaterThanOrEqual(KILLS - 1);
    expect(report.looks).toBeGreaterThan(KILLS);
    expect(report.searches).toBeGreaterThan(KILLS);
  } finally {
    await database.drop();
    await reference.drop();
  }
}, 240_000);
