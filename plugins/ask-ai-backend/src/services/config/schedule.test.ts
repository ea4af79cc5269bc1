import { describe, expect, it } from 'vitest';
import { scheduleSchema } from './schedule';

describe('scheduleSchema', () => {
  it.each([
    [undefined, { minutes: 30 }],
    [false, { trigger: 'manual' }],
    ['false', { trigger: 'manual' }],
    ['manual', { trigger: 'manual' }],
    [{ trigger: 'manual' }, { trigger: 'manual' }],
    ['0 */2 * * *', { cron: '0 */2 * * *' }],
    ['15 0 3 * * MON-FRI', { cron: '15 0 3 * * MON-FRI' }],
    [{ cron: '*/5 * * * *' }, { cron: '*/5 * * * *' }],
    ['30 minutes', { minutes: 30 }],
    ['2h', { hours: 2 }],
    ['PT30M', { minutes: 30 }],
    [{ minutes: 30 }, { minutes: 30 }],
    [
      { hours: '1', minutes: 15 },
      { hours: 1, minutes: 15 },
    ],
  ])('reads %j', (value, schedule) => {
    expect(scheduleSchema.parse(value)).toEqual(schedule);
  });

  it.each([
    true,
    30,
    '30',
    'often',
    '* * * *',
    '99 * * * *',
    '0 minutes',
    'PT0S',
    { minutes: 0 },
    { minutes: -5 },
    { minute: 5 },
    { cron: 'daily' },
    { cron: '* * * * *', minutes: 5 },
    { trigger: 'never' },
    {},
    [],
  ])('refuses %j', value => {
    const result = scheduleSchema.safeParse(value);
    expect(result.error?.issues[0]?.message).toMatch(/^a cron expression, a duration/);
  });
});
