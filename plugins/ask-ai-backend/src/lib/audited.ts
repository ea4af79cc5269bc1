import type {
  AuditorService,
  AuditorServiceEvent,
  AuditorServiceEventSeverityLevel,
  BackstageCredentials,
} from '@backstage/backend-plugin-api';
import type { Request } from 'express';
import { principalName } from './principal';

/** What the auditor is told of a call. */
export interface AuditedCall {
  /** In kebab case. */
  eventId: string;
  severityLevel: AuditorServiceEventSeverityLevel;
  caller: { credentials: BackstageCredentials; request?: Request };
  meta?: Record<string, string | undefined>;
}

/** Tells the auditor that a call began, and whether it succeeded. */
export async function audited<T>(
  auditor: AuditorService,
  call: AuditedCall,
  work: () => Promise<T>,
): Promise<T> {
  const event = await begin(auditor, call);
  try {
    const result = await work();
    await event.success();
    return result;
  } catch (error) {
    await event.fail({ error: error as Error });
    throw error;
  }
}

/** The same for a call that gives its result in pieces; one that is left early has failed. */
export async function* auditedStream<T>(
  auditor: AuditorService,
  call: AuditedCall,
  work: () => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const event = await begin(auditor, call);
  let failure: unknown = new Error('The caller left before the end.');
  try {
    yield* work();
    failure = undefined;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await (failure === undefined ? event.success() : event.fail({ error: failure as Error }));
  }
}

function begin(
  auditor: AuditorService,
  { eventId, severityLevel, caller, meta = {} }: AuditedCall,
): Promise<AuditorServiceEvent> {
  const { request, credentials } = caller;
  const known = Object.entries(meta).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return auditor.createEvent({
    eventId,
    severityLevel,
    request,
    // Without a request the auditor does not know who it was.
    meta: {
      ...Object.fromEntries(known),
      ...(!request && { actor: principalName(credentials) ?? 'unknown' }),
    },
  });
}
