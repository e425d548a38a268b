import { sampleMetrics } from '../../model/sample.ts';
import { pointSql, ROLLUP, rolledSamples, TALLY, widened } from './cells-sql.ts';
import { countsSql, type Ledger, type LedgerKeeper } from './ledger.ts';
import { HOUR_MS, MINUTE_MS } from './schema.ts';
import type { Server } from './server.ts';
import { quoted } from './sql.ts';
import { openBatches, samplesOfBatches } from './tail.ts';

/** Samples that no roll-up has yet are read and grouped by every query: not more than this, and not older. */
const DUE_ROWS = 1_000_000;
const DUE_MS = 60_000;
/** After this a roll-up that has not ended is given up: its server is gone. */
const GIVEN_UP_MS = 600_000;
/** After this, samples that were acknowledged and cannot be found are not waited for. */
const SHORT_MS = 600_000;

/**
 * Rolls up what is due. Any number of servers may call this at any time: who has its number in the ledger works, and what it
 * wrote counts only if the number is still its own when it is done.
 */
export async function rollUp(server: Server, keeper: LedgerKeeper, nowMs: number): Promise<void> {
  const { ledger } = await keeper.read();
  if (await minutesAreDue(server, ledger, nowMs)) await oneRoll(server, keeper, nowMs, rollMinutes);
  const { ledger: after } = await keeper.read();
  if (nowMs - after.hours.doneMs >= HOUR_MS && after.minutes.last > after.hours.upTo)
    await oneRoll(server, keeper, nowMs, rollHours);
}

async function minutesAreDue(server: Server, ledger: Ledger, nowMs: number): Promise<boolean> {
  const answer = await server.ask(`SELECT toFloat64(sum(n)), toFloat64(count()) FROM ${openBatches(server, ledger)}`);
  const [rows = 0, batches = 0] = [answer.numbers(0)[0], answer.numbers(1)[0]];
  return batches > 0 && (rows >= DUE_ROWS || nowMs - ledger.minutes.doneMs >= DUE_MS);
}

/** What a roll-up makes of the ledger, or null when what it wrote must not count. */
type Roll = (server: Server, ledger: Ledger, roll: number, nowMs: number) => Promise<Ledger | null>;

async function oneRoll(server: Server, keeper: LedgerKeeper, nowMs: number, work: Roll): Promise<void> {
  const { ledger, version } = await keeper.read();
  const { running } = ledger;
  if (running && nowMs - running.sinceMs < GIVEN_UP_MS) return;
  const roll = ledger.next;
  const failed = running ? [...ledger.failed, running.roll] : ledger.failed;
  const begun: Ledger = { ...ledger, failed, next: roll + 1, running: { roll, sinceMs: nowMs } };
  if (!(await keeper.write(begun, version))) return;
  const given: Ledger = { ...begun, running: null, failed: [...failed, roll] };
  let done: Ledger | null = null;
  try {
    done = await work(server, begun, roll, nowMs);
  } finally {
    const short = done ? null : (ledger.shortSinceMs ?? nowMs);
    // Nobody else writes while the number is ours; if somebody did, it was given up and what was written does not count.
    await keeper.write({ ...(done ?? given), running: null, shortSinceMs: short }, version + 1);
  }
}

async function rollMinutes(server: Server, ledger: Ledger, roll: number, nowMs: number): Promise<Ledger | null> {
  const write = server.whenWriting();
  // Everything once an hour: a clock that is wrong by more than the slack hides batches from the roll-ups between.
  const open = openBatches(server, ledger, Math.floor(nowMs / HOUR_MS) !== Math.floor(ledger.minutes.doneMs / HOUR_MS));
  await server.run(
    `INSERT INTO ${server.name('picks')} SELECT ${roll}, batch, any(n), any(from_ms), any(to_ms), any(received_ms) FROM ${open} GROUP BY batch`,
    write,
  );
  const picked = `${server.name('picks')} WHERE roll = ${roll}`;
  const answer = await server.ask(`SELECT toFloat64(sum(n)), max(received_ms) FROM ${picked}`);
  const [expected = 0, newestMs = 0] = [answer.numbers(0)[0], answer.numbers(1)[0]];
  const where = expected === 0 ? null : await samplesOfBatches(server, picked);
  if (where !== null) {
    const metrics = await usedMetrics(server, where);
    const samples = server.name('samples');
    await insertRoll(server, 'minutes', roll, rolledSamples(samples, where, metrics, MINUTE_MS));
    await insertRoll(server, 'minutes_all', roll, widened(server.name('minutes'), `roll = ${roll}`, MINUTE_MS, false));
    await server.run(
      `INSERT INTO ${server.name('states')} (at_ms, kind, endpoint, agent, last_ms, state)
        SELECT hour, kind, endpoint, agent, max(at_ms), argMax(assumeNotNull(state), at_ms)
        FROM (SELECT ${pointSql('at_ms', HOUR_MS)} AS hour, kind, endpoint, agent, at_ms, state FROM ${samples} WHERE ${where} AND isNotNull(state))
        GROUP BY hour, kind, endpoint, agent`,
      write,
    );
    const isWhole = await holds(server, ['minutes', 'minutes_all'], roll, expected);
    const waitedMs = nowMs - (ledger.shortSinceMs ?? nowMs);
    if (!isWhole && waitedMs < SHORT_MS) return null;
  }
  const newest = Math.max(ledger.minutes.newestMs, newestMs);
  return { ...ledger, minutes: { last: roll, doneMs: nowMs, newestMs: newest } };
}

async function rollHours(server: Server, ledger: Ledger, roll: number, nowMs: number): Promise<Ledger | null> {
  const upTo = ledger.minutes.last;
  const source = countsSql(ledger, upTo, ledger.hours.upTo);
  const answer = await server.ask(
    `SELECT toFloat64(sum(n)) FROM ${server.name('minutes')} WHERE metric = ${quoted(TALLY)} AND ${source}`,
  );
  const expected = answer.numbers(0)[0] ?? 0;
  await insertRoll(server, 'hours', roll, widened(server.name('minutes'), source, HOUR_MS, true));
  await insertRoll(server, 'hours_all', roll, widened(server.name('hours'), `roll = ${roll}`, HOUR_MS, false));
  if (!(await holds(server, ['hours', 'hours_all'], roll, expected))) return null;
  return { ...ledger, hours: { last: roll, doneMs: nowMs, upTo } };
}

function insertRoll(server: Server, table: string, roll: number, rows: string): Promise<void> {
  return server.run(
    `INSERT INTO ${server.name(table)} (roll, ${ROLLUP}) SELECT ${roll}, ${ROLLUP} FROM (${rows})`,
    server.whenWriting(),
  );
}

/** Whether each table counts as many samples under this number as there were: replicas may lag, and then they do not. */
async function holds(server: Server, tables: readonly string[], roll: number, expected: number): Promise<boolean> {
  const counted = await Promise.all(
    tables.map((table) =>
      server.ask(
        `SELECT toFloat64(sum(n)) FROM ${server.name(table)} WHERE metric = ${quoted(TALLY)} AND roll = ${roll}`,
      ),
    ),
  );
  return counted.every((answer) => (answer.numbers(0)[0] ?? 0) === expected);
}

/** Metrics that occur: each costs a pass over its column, and most kinds of probes have few. */
async function usedMetrics(server: Server, where: string): Promise<string[]> {
  const counts = sampleMetrics.map((metric) => `toFloat64(countIf(NOT isNaN(\`${metric}\`)))`).join(', ');
  const answer = await server.ask(`SELECT ${counts} FROM ${server.name('samples')} WHERE ${where}`);
  return sampleMetrics.filter((_, i) => answer.numbers(i)[0]! > 0);
}
