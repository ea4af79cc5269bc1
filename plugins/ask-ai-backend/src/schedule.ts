import type {
  AuthService,
  LoggerService,
  SchedulerService,
  SchedulerServiceTaskScheduleDefinition,
} from '@backstage/backend-plugin-api';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { durationToMilliseconds } from '@backstage/types';
import { CronTime } from 'cron';
import { retry } from './lib/retry';
import { waitUntilSettled } from './lib/settle';
import type { AskAiRuntime } from './runtime';
import type { ConfigService } from './services/ConfigService';

/** How often the catalog is asked for its size while it fills. */
const SETTLE_POLL_MS = 1_000;

/**
 * A catalog that holds less than is indexed may still be loading: it must be quiet for three times
 * as long before the missing entities are believed to be gone.
 */
const PATIENCE_FACTOR = 3;

/** The scheduler only asks for a run; the worker carries it out. */
const TASK_TIMEOUT = { minutes: 5 };

/** What the schedule needs. */
export interface ScheduleOptions {
  runtime: AskAiRuntime;
  config: ConfigService;
  scheduler: SchedulerService;
  catalog: CatalogService;
  auth: AuthService;
  logger: LoggerService;
  signal: AbortSignal;
}

/**
 * Asks for a run once the catalog has settled after the start, and from then on by
 * `askAi.schedule`, on one replica at a time.
 */
export async function scheduleIndex(options: ScheduleOptions): Promise<void> {
  const { runtime, config, scheduler, logger } = options;
  const frequency = config.getSchedule();
  const settled = settle(options);
  if (!('trigger' in frequency)) {
    await scheduler.scheduleTask({
      id: 'ask-ai-index',
      scope: 'global',
      frequency,
      timeout: TASK_TIMEOUT,
      initialDelay: 'cron' in frequency ? undefined : frequency,
      fn: async () => {
        await settled;
        runtime.nextRun = nextRun(frequency);
        await runtime.requestIndex({ trigger: 'schedule' });
      },
    });
    runtime.nextRun = nextRun(frequency);
  }
  settled
    .then(() => patiently(() => runtime.requestIndex({ trigger: 'startup' }), options.signal))
    .catch(error => {
      if (!options.signal.aborted) {
        logger.error('Could not start the first index run', error);
      }
    });
}

/** The store may be away for a moment, or for longer; each start indexes once it is back. */
function patiently<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return retry(call, {
    maxAttempts: Number.POSITIVE_INFINITY,
    baseDelayMs: SETTLE_POLL_MS,
    maxDelayMs: SETTLE_POLL_MS,
    maxRetryAfterMs: SETTLE_POLL_MS,
    deadlineMs: Number.POSITIVE_INFINITY,
    signal,
  });
}

async function settle({ runtime, config, catalog, auth, logger, signal }: ScheduleOptions) {
  const stableForMs = config.getIndexConfig().settleSeconds * 1_000;
  await runtime.opened();
  const { entityCount } = await patiently(() => runtime.status(), signal);
  logger.info('Waiting for the catalog to settle before the first index run');
  const count = await waitUntilSettled(
    async () => {
      const credentials = await auth.getOwnServiceCredentials();
      const { totalItems } = await catalog.queryEntities({ limit: 0 }, { credentials });
      return totalItems;
    },
    {
      stableForMs,
      expectedAtLeast: entityCount,
      stableBelowForMs: PATIENCE_FACTOR * stableForMs,
      pollMs: SETTLE_POLL_MS,
      signal,
    },
  );
  logger.info(`The catalog has settled at ${count} entities`);
}

function nextRun(frequency: SchedulerServiceTaskScheduleDefinition['frequency']): Date | undefined {
  if ('trigger' in frequency) {
    return undefined;
  }
  if ('cron' in frequency) {
    return new CronTime(frequency.cron).sendAt().toJSDate();
  }
  const duration = 'toObject' in frequency ? frequency.toObject() : frequency;
  return new Date(Date.now() + durationToMilliseconds(duration));
}
