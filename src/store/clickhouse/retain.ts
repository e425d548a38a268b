import type { Retention } from '../retention.ts';
import type { Ledger, LedgerKeeper } from './ledger.ts';
import { DAY_MS, dropPartition, SLICE_MS, WEEK_MS } from './schema.ts';
import type { Server } from './server.ts';
import { openBatches } from './tail.ts';

/** Dropping more often finds nothing: partitions are whole days. */
const DROP_EVERY_MS = 600_000;

/** How much longer than its samples the key of a batch is known: how late an agent may still repeat one. */
const KEY_GRACE_MS = 7 * DAY_MS;

/** Drops whole partitions that are past their time, samples only once all of them have been rolled up. */
export async function dropExpired(
  server: Server,
  keeper: LedgerKeeper,
  { rawMs, minutesMs, hoursMs }: Retention,
  nowMs: number,
): Promise<void> {
  const { ledger, version } = await keeper.read();
  if (nowMs - ledger.droppedMs < DROP_EVERY_MS) return;
  if (!(await isRolled(server, ledger, nowMs - rawMs))) return;
  const isHourly = ledger.hours.upTo === ledger.minutes.last;
  const day = 'toInt32(floor(at_ms / 86400000))';
  const week = (column: string) => `toInt32(floor(${column} / ${WEEK_MS}))`;
  const before = (ageMs: number, widthMs: number) => Math.floor((nowMs - ageMs) / widthMs);
  await dropBefore(server, 'samples', `intDiv(slice, ${DAY_MS / SLICE_MS})`, before(rawMs, DAY_MS));
  if (isHourly)
    for (const table of ['minutes', 'minutes_all']) await dropBefore(server, table, day, before(minutesMs, DAY_MS));
  await dropBefore(server, 'states', week('at_ms'), before(minutesMs, WEEK_MS));
  for (const table of ['hours', 'hours_all']) await dropBefore(server, table, week('at_ms'), before(hoursMs, WEEK_MS));
  for (const table of ['batches', 'picks'])
    await dropBefore(server, table, week('received_ms'), before(rawMs + KEY_GRACE_MS, WEEK_MS));
  // Somebody else who was here first did the same.
  await keeper.write({ ...ledger, droppedMs: nowMs }, version);
}

/** Whether no batch with samples before `cutMs` waits for its roll-up. */
async function isRolled(server: Server, ledger: Ledger, cutMs: number): Promise<boolean> {
  const open = await server.ask(
    `SELECT toFloat64(count()) FROM ${openBatches(server, ledger, true)} AND from_ms < ${cutMs}`,
  );
  return open.numbers(0)[0] === 0;
}

async function dropBefore(server: Server, table: string, partition: string, first: number): Promise<void> {
  const answer = await server.ask(
    `SELECT DISTINCT toFloat64(${partition}) FROM ${server.name(table)} WHERE ${partition} < ${first}`,
  );
  for (const expired of answer.numbers(0)) await dropPartition(server, table, expired);
}
