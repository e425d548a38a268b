import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { SystemCallError } from '../../wire/libc.ts';
import { drive } from './drive.ts';
import { type FakePath, fakeProbe } from './fake-path.case.ts';
import { MtuSearch } from './search.ts';

async function measure(path: Omit<FakePath, 'nowMs'>, { abortAfter = Infinity, maxBytes = 1500 } = {}) {
  const io = fakeIo();
  const search = new MtuSearch({ family: 4, maxBytes, probesPerSize: 3 });
  const probe = fakeProbe({ ...path, nowMs: () => io.clock.monoMs() });
  const stop = new AbortController();
  let steps = 0;
  const onStep = () => {
    if (++steps > abortAfter) stop.abort();
  };
  const driven = await drive(search, probe, io, stop.signal, { timeoutMs: 1000, onStep });
  return { driven, result: search.result(), sent: probe.sent, tookMs: io.clock.monoMs() };
}

describe('drive()', () => {
  test('finds the limit of a path whose router speaks, without waiting for anything but round trips', async () => {
    const { result, tookMs } = await measure({ links: [1500, 1420, 1500], rttMs: 30 });
    expect(result).toMatchObject({ confirmedBytes: 1420, refutedBytes: 1421, saidBy: { by: 'r1', mtuBytes: 1420 } });
    expect(tookMs).toBeLessThan(result.probes * (30 + 65));
  });

  test('waits longer than 200 ms where round trips are longer', async () => {
    const { result } = await measure({ links: [1500, 1450, 1500], silent: ['r1'], rttMs: 600 });
    expect(result).toMatchObject({ confirmedBytes: 1450, refutedBytes: 1451, loss: { lost: 0 } });
  });

  test('a forged "too big" does not outweigh an answer that comes after it', async () => {
    const { result } = await measure({ links: [1500, 1500], forged: { above: 1300, mtuBytes: 1300 } });
    expect(result).toMatchObject({ state: 'complete', confirmedBytes: 1500, refutedBytes: null });
  });

  test('EMSGSIZE is the limit of this host, and said to be', async () => {
    const refuses = (sizeBytes: number) => (sizeBytes > 1400 ? new SystemCallError('send', 90, '192.0.2.1') : null);
    const { result } = await measure({ links: [9000], refuses });
    expect(result).toMatchObject({ confirmedBytes: 1400, refutedBytes: 1401, saidBy: { by: 'this host' } });
  });

  test('any other errno ends the search with its name', async () => {
    const { driven, result } = await measure({
      links: [9000],
      refuses: () => new SystemCallError('send', 1, '192.0.2.1'),
    });
    expect(driven.failure).toEqual({ errno: 'EPERM' });
    expect(result.confirmedBytes).toBeNull();
  });

  test('who refuses on the way is named, and nobody waits for more', async () => {
    const unreachable = { by: 'r7', message: 'administratively prohibited' };
    const { driven, result, tookMs } = await measure({ links: [1500], unreachable });
    expect(driven.unreachable).toEqual(unreachable);
    expect(result).toMatchObject({ state: 'error', confirmedBytes: null });
    expect(tookMs).toBeLessThan(500);
  });

  test('stops at once when aborted, with the bounds so far', async () => {
    const { result, sent } = await measure({ links: [1500, 1450, 1500], silent: ['r1'] }, { abortAfter: 3 });
    expect(sent.length).toBeLessThanOrEqual(3);
    expect(result).toMatchObject({ state: 'searching', confirmedBytes: 1200 });
  });

  test('an answer later than the wait still raises the result', async () => {
    // The first large packet is answered in time, all others of more than 1400 octets only after 400 ms.
    const io = fakeIo();
    const search = new MtuSearch({ family: 4, maxBytes: 1500, probesPerSize: 3 });
    const late: { atMs: number; sequence: number }[] = [];
    const probe = {
      ...fakeProbe({ links: [1500], nowMs: () => io.clock.monoMs() }),
      send: ({ sequence, sizeBytes }: { sequence: number; sizeBytes: number }) =>
        void late.push({ sequence, atMs: io.clock.monoMs() + (sizeBytes > 1400 ? 400 : 5) }),
      drain: (events: { arrived(sequence: number): void }) => {
        for (const one of late.filter(({ atMs }) => atMs <= io.clock.monoMs())) {
          events.arrived(one.sequence);
          late.splice(late.indexOf(one), 1);
        }
      },
    };
    await drive(search, probe, io, new AbortController().signal, { timeoutMs: 1000 });
    expect(search.result()).toMatchObject({ confirmedBytes: 1500, refutedBytes: null });
  });
});
