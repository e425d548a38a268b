import { expect, test } from 'vitest';
import { fakeDisk } from '../../../test/fakes/durable-files.ts';
import { fakeIo } from '../../../test/fakes/io.ts';
import { virtualClock } from '../../../test/fakes/virtual-clock.ts';
import type { EncodedBatch } from './batch-file.ts';
import { Sender, type SenderOptions } from './sender.ts';
import type { Delivery } from './server-link.ts';
import { Spool } from './spool.ts';

const options: SenderOptions = { inFlight: 3, firstBackOffMs: 1000, maxBackOffMs: 60_000 };
const stored: Delivery = { kind: 'acknowledged', result: 'stored' };
const away: Delivery = { kind: 'later', why: 'ECONNREFUSED', afterMs: null };

/** A sender with `count` batches in its spool and a server that answers as `answer` says, each time after `takesMs`. */
async function start(count: number, answer: (n: number, attempt: number) => Delivery, takesMs = 10) {
  const clock = virtualClock();
  const io = fakeIo();
  const spool = await Spool.open(fakeDisk(), '/spool');
  const attempts: { n: number; atMs: number }[] = [];
  const taken: number[] = [];
  const unauthorised: string[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const beganMs = clock.monoMs();
  const deliver = async ({ key }: EncodedBatch, signal: AbortSignal): Promise<Delivery> => {
    const n = Number(key.slice(-4));
    attempts.push({ n, atMs: clock.monoMs() - beganMs });
    mostUnderWay = Math.max(mostUnderWay, ++underWay);
    await clock.sleep(takesMs, signal).finally(() => underWay--);
    const delivery = answer(n, attempts.filter((a) => a.n === n).length);
    if (delivery.kind === 'acknowledged') taken.push(n);
    return delivery;
  };
  const sender = new Sender({
    spool,
    deliver,
    clock,
    random: io.random,
    log: io.log,
    options,
    onUnauthorised: (why) => unauthorised.push(why),
  });
  const append = async (n: number) => {
    await spool.append({
      key: `agent-1.${String(n).padStart(4, '0')}`,
      samples: 2,
      encoding: 'identity',
      payload: Buffer.from('{}'),
    });
    sender.wake();
  };
  for (let n = 0; n < count; n++) await append(n);
  const stop = new AbortController();
  const done = sender.run(stop.signal);
  const end = async () => {
    stop.abort();
    await done;
  };
  return { clock, spool, sender, attempts, taken, unauthorised, append, end, io, mostUnderWay: () => mostUnderWay };
}

test('sends the newest and the oldest in turn, no more at once than allowed, and forgets what is acknowledged', async () => {
  const { clock, spool, taken, mostUnderWay, end, sender, append } = await start(10, () => stored);
  await clock.run(1000);
  expect(taken).toEqual([9, 0, 8, 1, 7, 2, 6, 3, 5, 4]);
  expect(mostUnderWay()).toBe(3);
  await append(10);
  await clock.run(100);
  expect(spool.figures().batches).toBe(0);
  expect(sender.figures()).toMatchObject({ acknowledged: 11, acknowledgedSamples: 22, failures: 0, trouble: null });
  await end();
});

test('after an outage what is measured now is not held up by what was kept, however much that is', async () => {
  let isAway = true;
  const { clock, taken, append, end, spool, attempts } = await start(2000, () => (isAway ? away : stored));
  await clock.run(600_000);
  isAway = false;
  for (let n = 2000; taken.length === 0; n++) {
    await append(n);
    await clock.run(1000);
  }
  const backAtMs = attempts.at(-1)!.atMs;
  const lagMs: number[] = [];
  for (let n = 5000; n < 5005; n++) {
    await append(n);
    const madeMs = attempts.at(-1)!.atMs;
    await clock.run(500);
    lagMs.push((attempts.find((a) => a.n === n)?.atMs ?? Infinity) - madeMs);
  }
  expect(spool.figures().batches).toBeGreaterThan(500);
  expect(Math.max(...lagMs)).toBeLessThanOrEqual(20);
  // And half of the way is for what was kept, oldest first.
  const kept = attempts.filter(({ n, atMs }) => n < 2000 && atMs > backAtMs && n < 1000).map(({ n }) => n);
  expect(kept).toEqual(kept.toSorted((a, b) => a - b));
  expect(kept.length).toBeGreaterThan(100);
  await clock.run(60_000);
  expect(spool.figures().batches).toBe(0);
  expect(new Set(taken).size).toBe(taken.length);
  await end();
});

test('asks an absent server ever more rarely with one batch, for hours, and sends everything when it is back', async () => {
  let isAway = true;
  const { clock, spool, attempts, taken, end, sender } = await start(8, () => (isAway ? away : stored));
  await clock.run(3 * 3_600_000);
  const gaps = attempts.slice(3).map(({ atMs }, i) => atMs - attempts[i + 2]!.atMs);
  // The first three were on their way together; then one at a time: about 1, 2, 4 … 60 s, each with jitter of half.
  expect(gaps.every((gap, i) => gap >= Math.min(60_000, 1000 * 2 ** i) * 0.5)).toBe(true);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(60_050);
  expect(attempts.length).toBeGreaterThan(3 * 60);
  expect(attempts.length).toBeLessThan(3 * 125);
  expect(sender.figures().trouble).toBe('ECONNREFUSED');
  isAway = false;
  await clock.run(61_000);
  expect(taken.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(spool.figures().batches).toBe(0);
  expect(sender.figures()).toMatchObject({ failuresInARow: 0, trouble: null });
  await end();
});

test('waits as long as the server asks for, and a little longer, never less', async () => {
  const { clock, attempts, end } = await start(1, (_, attempt) =>
    attempt === 1 ? { kind: 'later', why: 'HTTP 503', afterMs: 30_000 } : stored,
  );
  await clock.run(60_000);
  expect(attempts).toHaveLength(2);
  expect(attempts[1]!.atMs).toBeGreaterThanOrEqual(30_000);
  expect(attempts[1]!.atMs).toBeLessThan(33_100);
  await end();
});

test('what the server refuses goes to quarantine at once, and the others go on', async () => {
  const { clock, spool, taken, attempts, end, io } = await start(5, (n) =>
    n === 1 ? { kind: 'refused', why: 'HTTP 422' } : stored,
  );
  await clock.run(1000);
  expect(taken.toSorted((a, b) => a - b)).toEqual([0, 2, 3, 4]);
  expect(attempts.filter(({ n }) => n === 1)).toHaveLength(1);
  expect(spool.figures()).toMatchObject({ batches: 0, quarantined: { batches: 1, samples: 2 } });
  expect(io.stderr()).toMatch(/refuses batch agent-1\.0001 \(2 results\).*HTTP 422/);
  await end();
});

test('results that the server did not store because of a clock are told', async () => {
  const { clock, spool, end, io } = await start(1, () => ({ ...stored, refused: 2 }));
  await clock.run(1000);
  expect(spool.figures().batches).toBe(0);
  expect(io.stderr()).toMatch(/did not store 2 of 2 results.*is the clock of this host right/);
  await end();
});

test('a batch on which the server fails alone holds nobody up, and ends in quarantine', async () => {
  const { clock, spool, taken, attempts, end } = await start(20, (n) =>
    n === 0 ? { kind: 'later', why: 'HTTP 500', afterMs: null } : stored,
  );
  await clock.run(60_000);
  expect(taken).toHaveLength(19);
  await clock.run(24 * 3_600_000);
  expect(spool.figures()).toMatchObject({ batches: 0, quarantined: { batches: 1, samples: 2 } });
  expect(attempts.filter(({ n }) => n === 0).length).toBeLessThan(20);
  await end();
});

test('an agent that is not known says so each time, keeps everything and goes on asking', async () => {
  let isKnown = false;
  const { clock, spool, unauthorised, taken, end, sender } = await start(2, () =>
    isKnown ? stored : { kind: 'unauthorised', why: 'HTTP 401' },
  );
  await clock.run(10_000);
  expect(unauthorised.length).toBeGreaterThan(2);
  expect(spool.figures().batches).toBe(2);
  isKnown = true;
  sender.tryNow();
  await clock.run(100);
  expect(taken).toEqual([0, 1]);
  await end();
});

test('what is on its way when it has to stop goes back to the spool', async () => {
  const { clock, spool, end } = await start(2, () => stored, 60_000);
  await clock.run(1000);
  expect(spool.take()).toBeUndefined();
  await end();
  expect([spool.take()?.sequence, spool.take()?.sequence]).toEqual([1, 2]);
});
