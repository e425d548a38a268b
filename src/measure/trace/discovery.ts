import type { Io } from '../../wire/io.ts';
import { Pace } from './pace.ts';
import type { Plan } from './plan.ts';
import type { Probed, Prober } from './prober.ts';
import type { Table } from './table.ts';
import type { Wish } from './wishes.ts';

/** Probes on the way at once: enough for all hops of a path, few enough to burst over no queue. */
const WINDOW = 48;
/** The kernel's stamps say when an answer came, so when it is read decides only how soon the next probe goes out. */
const POLL_MS = 1;
/** How often a caller gets the word while it goes on. */
export const UPDATE_MS = 250;

/**
 * Sends what the plan wants, as many at once as the window and the pace of each hop allow, until nothing is wanted any more.
 * Returns in between, about every UPDATE_MS, so that the caller can show how far it is.
 * @returns true when every stopping rule is met; false when it was stopped before
 */
export async function* discover(
  { table, plan, prober, heed }: { table: Table; plan: Plan; prober: Prober; heed: (probed: Probed) => void },
  deadlineMs: number,
  io: Io,
  signal: AbortSignal,
): AsyncGenerator<void, boolean> {
  const pace = new Pace();
  let wishes = plan.wishes();
  let told = io.clock.monoMs();
  for (;;) {
    const probed = prober.poll();
    for (const one of probed) {
      heed(one);
      note(table, pace, one);
    }
    if (probed.length > 0) wishes = plan.wishes();
    const nowMs = io.clock.monoMs();
    if (signal.aborted || nowMs >= deadlineMs) return false;
    wishes = send(wishes, table, prober, pace, nowMs);
    if (prober.failure !== null && prober.answers === 0) return false;
    if (wishes.length === 0 && prober.awaited === 0) {
      wishes = plan.wishes();
      if (wishes.length === 0) return plan.unlimited;
    }
    if (nowMs - told >= UPDATE_MS) {
      told = nowMs;
      yield;
    }
    await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
}

/** Sends what may be sent now; returns what has to wait. */
function send(wishes: readonly Wish[], table: Table, prober: Prober, pace: Pace, nowMs: number): Wish[] {
  const later: Wish[] = [];
  for (const wish of wishes) {
    const { ttl, flow } = wish;
    const may = prober.awaited < WINDOW && prober.transport.ready(flow) && pace.take(ttl, nowMs);
    if (!may) later.push(wish);
    else {
      const id = prober.send(flow, ttl);
      // Where nothing at all can be sent there is no hop that could be silent.
      if (id === null && prober.answers === 0) return later;
      table.sent(ttl, flow);
      if (id === null) table.missed(ttl, flow);
    }
  }
  return later;
}

function note(table: Table, pace: Pace, { ttl, flow, reply, late }: Probed): void {
  if (reply === null) {
    if ([...table.row(ttl).values()].some(({ received }) => received > 0)) pace.missed(ttl);
    table.missed(ttl, flow);
    return;
  }
  pace.answered(ttl);
  table.answered(ttl, flow, reply.from, { ends: reply.kind !== 'exceeded', late });
}
