import { ConfigReader, readDurationFromConfig } from '@backstage/config';
import type { HumanDuration, JsonValue } from '@backstage/types';
import { CronTime } from 'cron';
import { z } from 'zod';
import { DEFAULTS } from './defaults';

/**
 * How often the index is brought up to date, as Backstage's scheduler takes it. The scheduler's own
 * type would bring luxon into the declarations of this package, which does not depend on it.
 */
export type IndexSchedule = { cron: string } | { trigger: 'manual' } | HumanDuration;

const EXPECTED =
  'a cron expression, a duration such as "30 minutes", "PT30M" or { minutes: 30 }, "manual" or false';

export const scheduleSchema = z
  .unknown()
  .transform((value, context): IndexSchedule => {
    const schedule = readSchedule(value);
    if (schedule === undefined) {
      context.addIssue({ code: 'custom', message: EXPECTED });
      return z.NEVER;
    }
    return schedule;
  })
  .prefault(DEFAULTS.schedule);

function readSchedule(value: unknown): IndexSchedule | undefined {
  if (value === false || value === 'false' || value === 'manual') {
    return { trigger: 'manual' };
  }
  if (typeof value === 'string') {
    return isCron(value) ? { cron: value.trim() } : readDuration(value);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return undefined;
  }
  if ('cron' in value) {
    return isOnlyKey(value) && typeof value.cron === 'string' && isCron(value.cron)
      ? { cron: value.cron.trim() }
      : undefined;
  }
  if ('trigger' in value) {
    return isOnlyKey(value) && value.trigger === 'manual' ? { trigger: 'manual' } : undefined;
  }
  return readDuration(value as JsonValue);
}

function readDuration(value: JsonValue): IndexSchedule | undefined {
  try {
    const duration = readDurationFromConfig(new ConfigReader({ value }), { key: 'value' });
    const parts = Object.values(duration);
    return parts.every(part => part >= 0) && parts.some(part => part > 0) ? duration : undefined;
  } catch {
    // Backstage's message repeats what EXPECTED says, without our key.
    return undefined;
  }
}

/** Judged by the library that Backstage's scheduler reads it with. */
function isCron(value: string): boolean {
  try {
    new CronTime(value.trim());
    return true;
  } catch {
    return false;
  }
}

function isOnlyKey(value: object): boolean {
  return Object.keys(value).length === 1;
}
