import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { RunOwner } from '../types';

/** One for all backends of this process, which must not take each other for dead. */
const INSTANCE_ID = randomUUID();

/** This process, told apart from a later one that gets the same id. */
export function thisOwner(): RunOwner {
  return { instanceId: INSTANCE_ID, hostname: hostname(), pid: process.pid };
}

/**
 * Whether an owner is known to be dead: it was on this machine, and its process is gone or its id is
 * now ours. Another machine's process can't be asked; only its silence tells.
 */
export function isOwnerGone(owner: RunOwner, self: RunOwner): boolean {
  if (owner.hostname !== self.hostname || owner.instanceId === self.instanceId) {
    return false;
  }
  return owner.pid === self.pid || !processExists(owner.pid);
}

/** Signal 0 reaches nobody; it only asks whether the process is there. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
