import { sliceOf } from './append.ts';
import { countsSql, type Ledger } from './ledger.ts';
import type { Server } from './server.ts';

/**
 * How far the clocks of servers may differ, and how late an acknowledgement may come, before a batch is overlooked until the
 * hourly search among all.
 */
const SLACK_MS = 600_000;

/** Batches that no roll-up that counts has picked yet; `everywhere` looks at all that are known, not only at recent ones. */
export function openBatches(server: Server, ledger: Ledger, everywhere = false): string {
  const recent = everywhere ? '1' : `received_ms >= ${ledger.minutes.newestMs - SLACK_MS}`;
  return `${server.name('batches')} WHERE ${recent} AND batch GLOBAL NOT IN (
    SELECT batch FROM ${server.name('picks')} WHERE ${recent} AND ${countsSql(ledger, ledger.minutes.last)})`;
}

/** Condition for samples of the batches that a query selects, with the slices in which these lie. */
export async function samplesOfBatches(server: Server, batches: string): Promise<string | null> {
  const answer = await server.ask(`SELECT toFloat64(count()), min(from_ms), max(to_ms) FROM ${batches} AND n > 0`);
  const [count = 0, from = 0, to = 0] = [0, 1, 2].map((i) => answer.numbers(i)[0]);
  if (count === 0) return null;
  return `slice >= ${sliceOf(from)} AND slice <= ${sliceOf(to)} AND batch GLOBAL IN (SELECT batch FROM ${batches})`;
}
