/**
 * CoDel (RFC 8289 §5) for a queue whose packets' departure is known when they come: fed packet by packet in order with the
 * moment each reaches the head, it decides what the RFC's dequeue() decides then. One simplification: its exception for a
 * queue of less than one MTU is not needed, because such a queue waits less than the target at the rates that CoDel is for.
 */
export interface Codel {
  firstAboveMs: number;
  dropNextMs: number;
  /** Drops since the dropping state was entered, and that count when it was entered before. */
  count: number;
  lastCount: number;
  dropping: boolean;
}

const TARGET_MS = 5;
const INTERVAL_MS = 100;

export function makeCodel(): Codel {
  return { firstAboveMs: 0, dropNextMs: 0, count: 0, lastCount: 0, dropping: false };
}

/** Whether the packet that reaches the head at `headMs`, having waited `waitedMs`, is dropped there. */
export function codelDrops(codel: Codel, headMs: number, waitedMs: number): boolean {
  const mayDrop = isStanding(codel, headMs, waitedMs);
  if (codel.dropping) {
    if (!mayDrop) codel.dropping = false;
    else if (headMs >= codel.dropNextMs) {
      codel.count += 1;
      codel.dropNextMs = controlLaw(codel.dropNextMs, codel.count);
      return true;
    }
    return false;
  }
  if (!mayDrop) return false;
  codel.dropping = true;
  // Back so soon: go on near the drop rate that held the queue the last time.
  const delta = codel.count - codel.lastCount;
  codel.count = delta > 1 && headMs - codel.dropNextMs < 16 * INTERVAL_MS ? delta : 1;
  codel.lastCount = codel.count;
  codel.dropNextMs = controlLaw(headMs, codel.count);
  return true;
}

/** Whether the wait has been above the target for a whole interval. */
function isStanding(codel: Codel, headMs: number, waitedMs: number): boolean {
  if (waitedMs < TARGET_MS) {
    codel.firstAboveMs = 0;
    return false;
  }
  if (codel.firstAboveMs === 0) {
    codel.firstAboveMs = headMs + INTERVAL_MS;
    return false;
  }
  return headMs >= codel.firstAboveMs;
}

function controlLaw(atMs: number, count: number): number {
  return atMs + INTERVAL_MS / Math.sqrt(count);
}
