import { afterEach, describe, expect, it } from 'vitest';
import { thisOwner } from '../lib/owner';
import { noProgress, type Run, type RunStore } from '../types';

/** Tests a run store against the contract of `RunStore`. */
export function describeRunStore(
  name: string,
  setup: { create(): Promise<RunStore>; cleanup?(): Promise<void> },
): void {
  describe(`${name} keeps the contract of a run store`, { timeout: 60_000 }, () => {
    const owner = thisOwner();
    const claimed = async (runs: RunStore): Promise<Run> => {
      const run = await runs.claim(owner);
      if (typeof run === 'string') {
        throw new Error(`Expected a run, got ${run}`);
      }
      return run;
    };

    afterEach(async () => {
      await setup.cleanup?.();
    });

    it('hands out runs in the order in which they were asked for, one at a time', async () => {
      const runs = await setup.create();
      expect(await runs.claim(owner)).toBe('idle');
      const first = await runs.enqueue({ trigger: 'entity', entityRef: 'component:default/a' });
      const second = await runs.enqueue({ trigger: 'entity', entityRef: 'component:default/b' });
      expect((await claimed(runs)).id).toBe(first.run.id);
      expect(await runs.claim(owner)).toBe('busy');
      await runs.finish(first.run.id, 'completed', noProgress());
      expect(await claimed(runs)).toMatchObject({
        id: second.run.id,
        entityRef: 'component:default/b',
        state: 'running',
      });
      await runs.finish(second.run.id, 'completed', noProgress());
      expect(await runs.claim(owner)).toBe('idle');
    });

    it('joins a request to a run that waits for the same work', async () => {
      const runs = await setup.create();
      const first = await runs.enqueue({ trigger: 'manual', requestedBy: 'user:default/ann' });
      const again = await runs.enqueue({ trigger: 'schedule' });
      expect(again).toMatchObject({ joined: true, run: { id: first.run.id } });
      const entity = await runs.enqueue({ trigger: 'entity', entityRef: 'component:default/a' });
      expect(entity.joined).toBe(false);
      await claimed(runs);
      expect((await runs.enqueue({ trigger: 'manual' })).run.id).toBe(first.run.id);
    });

    it('queues an entity behind a run of the same entity that is under way', async () => {
      const runs = await setup.create();
      const request = { trigger: 'entity' as const, entityRef: 'component:default/a' };
      const first = await runs.enqueue(request);
      await claimed(runs);
      const second = await runs.enqueue(request);
      expect(second.joined).toBe(false);
      expect(second.run.id).not.toBe(first.run.id);
    });

    it('reports progress, and how a run ended', async () => {
      const runs = await setup.create();
      await runs.enqueue({ trigger: 'manual' });
      const run = await claimed(runs);
      const progress = {
        documents: { seen: 5, changed: 3, removed: 1, failed: 1 },
        chunks: { embedded: 7, skipped: 4, removed: 2 },
        documentsExpected: 10,
        tokens: 99,
      };
      expect(await runs.heartbeat(run.id, progress)).toBe('continue');
      expect(await runs.current()).toMatchObject({ id: run.id, ...progress });
      expect(await runs.latest()).toBeUndefined();
      await runs.finish(run.id, 'failed', progress, 'The model was away.');
      expect(await runs.current()).toBeUndefined();
      expect(await runs.latest()).toMatchObject({
        id: run.id,
        state: 'failed',
        reason: 'The model was away.',
        ...progress,
        finishedAt: expect.any(Date),
      });
    });

    it('knows the run of everything that was completed last, whatever came after it', async () => {
      const runs = await setup.create();
      expect(await runs.latestCompleted()).toBeUndefined();
      const outcomes = [
        [{ trigger: 'manual' }, 'completed'],
        [{ trigger: 'entity', entityRef: 'component:default/a' }, 'completed'],
        [{ trigger: 'schedule' }, 'failed'],
      ] as const;
      const ids: string[] = [];
      for (const [request, outcome] of outcomes) {
        await runs.enqueue(request);
        const { id } = await claimed(runs);
        await runs.finish(id, outcome, noProgress());
        ids.push(id);
      }
      expect(await runs.latestCompleted()).toMatchObject({
        id: ids[0],
        finishedAt: expect.any(Date),
      });
      expect(await runs.latest()).toMatchObject({ id: ids[2] });
    });

    it('tells the owner of a run that somebody cancelled it, and drops those that wait', async () => {
      const runs = await setup.create();
      expect(await runs.requestCancel()).toBe(false);
      await runs.enqueue({ trigger: 'manual' });
      const run = await claimed(runs);
      await runs.enqueue({ trigger: 'entity', entityRef: 'component:default/a' });
      expect(await runs.requestCancel()).toBe(true);
      expect(await runs.heartbeat(run.id, noProgress())).toBe('cancel');
      await runs.finish(run.id, 'cancelled', noProgress());
      expect(await runs.claim(owner)).toBe('idle');
      expect(await runs.heartbeat(run.id, noProgress())).toBe('lost');
    });

    it('does not join a request to a run that is being cancelled', async () => {
      const runs = await setup.create();
      await runs.enqueue({ trigger: 'manual' });
      await claimed(runs);
      await runs.requestCancel();
      expect((await runs.enqueue({ trigger: 'manual' })).joined).toBe(false);
    });

    it('remembers the latest failure of a document until it is forgotten', async () => {
      const runs = await setup.create();
      const document = { entityId: 'component:default/a', source: 'catalog' as const };
      await runs.recordFailure({ ...document, reason: 'first' });
      await runs.recordFailure({ ...document, source: 'techdocs', reason: 'other' });
      await runs.recordFailure({ ...document, reason: 'second' });
      expect(await runs.failures(10)).toEqual([
        { ...document, reason: 'second' },
        { ...document, source: 'techdocs', reason: 'other' },
      ]);
      expect(await runs.failures(1)).toHaveLength(1);
      await runs.forgetFailure(document);
      expect(await runs.failures(10)).toHaveLength(1);
    });

    it('starts one run however many ask at once', async () => {
      const runs = await setup.create();
      const asked = await Promise.all(
        Array.from({ length: 10 }, () => runs.enqueue({ trigger: 'manual' })),
      );
      expect(new Set(asked.map(({ run }) => run.id)).size).toBe(1);
      const claims = await Promise.all(Array.from({ length: 10 }, () => runs.claim(owner)));
      expect(claims.filter(claim => typeof claim !== 'string')).toHaveLength(1);
    });
  });
}
