import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutboxEntry } from '../../model/delivery.ts';
import { someEntry } from './deliver.case.ts';
import type { StoredEntry } from './outbox.ts';
import { claimed, claimMs, queueOf, settled } from './queue.ts';
import type { Sent } from './receiver.ts';
import { waitAfterMs } from './schedule.ts';

const t0 = someEntry().madeAtMs;
const stored = (...entries: OutboxEntry[]): StoredEntry[] => entries.map((entry) => ({ entry, version: 1 }));
const keys = (list: readonly StoredEntry[]) => list.map(({ entry }) => entry.key);
const end = (change: Partial<OutboxEntry> = {}) =>
  someEntry({ key: 'msg_2', action: 'resolve', madeAtMs: t0 + 1, nextAtMs: t0 + 1, ...change });
const half = { kind: 'event' as const, nowMs: t0, random: () => 0.5 };
const failing: Sent = { kind: 'retry', words: 'HTTP 500' };

describe('queueOf()', () => {
  test('the beginning goes before the end, and other receivers do not wait for it', () => {
    const elsewhere = someEntry({ key: 'msg_3', receiver: 'other', action: 'resolve' });
    expect(keys(queueOf(stored(end(), someEntry(), elsewhere), t0 + 10).due)).toEqual(['msg_1', 'msg_3']);
    const failed = someEntry({ state: 'failed', endedAtMs: t0 });
    expect(keys(queueOf(stored(end(), failed), t0 + 10).due)).toEqual(['msg_2']);
  });

  test('what another node is sending waits, until that node is not heard of any more', () => {
    const taken = claimed(someEntry(), 'other node', t0);
    expect(queueOf(stored(taken), t0 + claimMs - 1)).toMatchObject({ due: [], nextAtMs: t0 + claimMs });
    expect(keys(queueOf(stored(taken), t0 + claimMs).due)).toEqual(['msg_1']);
  });

  test('a clock that was set back by a year delays nothing', () => {
    const year = 365 * 86_400_000;
    expect(keys(queueOf(stored(someEntry({ nextAtMs: t0 + year })), t0).due)).toEqual(['msg_1']);
    const taken = claimed(someEntry(), 'other node', t0 + year);
    expect(keys(queueOf(stored(taken), t0).due)).toEqual(['msg_1']);
  });

  test('a reminder ends when the end comes; with another severity it is ended by itself, for that was another alert', () => {
    const holding = someEntry({ state: 'holding', nextAtMs: t0 + 60_000 });
    expect(queueOf(stored(holding), t0 + 1).due).toEqual([]);
    expect(keys(queueOf(stored(holding), t0 + 60_000).due)).toEqual(['msg_1']);
    const [replaced] = queueOf(stored(holding, end()), t0 + 2).changed;
    expect(replaced!.entry).toMatchObject({ state: 'done', action: 'fire' });
    const notice = { ...holding.notice, severity: 'ticket' as const };
    const [raised] = queueOf(
      stored({ ...holding, notice }, someEntry({ key: 'msg_2', madeAtMs: t0 + 1 })),
      t0 + 2,
    ).changed;
    expect(raised!.entry).toMatchObject({
      state: 'waiting',
      action: 'resolve',
      notice: { severity: 'ticket', status: 'resolved' },
    });
  });

  test('an incident is forgotten a day after its end; one without an end stays for whoever has to tell it', () => {
    const done = someEntry({ state: 'done', endedAtMs: t0 });
    const over = end({ state: 'done', endedAtMs: t0 + 1 });
    const day = 86_400_000;
    expect(queueOf(stored(done, over), t0 + day).over).toEqual([]);
    expect(keys(queueOf(stored(done, over), t0 + day + 2).over)).toEqual(['msg_1', 'msg_2']);
    expect(queueOf(stored(done), t0 + 30 * day).over).toEqual([]);
    expect(keys(queueOf(stored({ ...done, tellEnd: false }), t0 + day + 1).over)).toEqual(['msg_1']);
  });
});

describe('settled()', () => {
  test('waits are those of Standard Webhooks with a tenth of jitter, and then it is given up', () => {
    const waits = Array.from({ length: 10 }, (_, i) => waitAfterMs(i + 1, 'event', () => 0.5));
    const hours = (n: number) => n * 3_600_000;
    expect(waits).toEqual([5000, 300_000, 1_800_000, ...[2, 5, 10, 14, 20, 24].map(hours), null]);
    expect([0, 1].map((r) => waitAfterMs(1, 'event', () => r))).toEqual([4500, 5500]);
    expect(settled(someEntry({ attempts: 10 }), failing, half)).toMatchObject({ state: 'failed', endedAtMs: t0 });
  });

  test('Retry-After makes a wait longer and never shorter', () => {
    const after = (retryAfterMs: number) =>
      settled(someEntry({ attempts: 1 }), { ...failing, retryAfterMs }, half).nextAtMs - t0;
    expect([after(120_000), after(1)]).toEqual([120_000, 5000]);
  });

  test('what was refused or is gone is over; what we stopped ourselves is due at once and no attempt', () => {
    for (const kind of ['refused', 'gone'] as const)
      expect(settled(someEntry({ attempts: 1 }), { kind, words: 'no' }, half).state).toBe('failed');
    const stopped = settled(someEntry({ attempts: 1 }), { ...failing, isOurs: true }, half);
    expect(stopped).toMatchObject({ state: 'waiting', attempts: 0, nextAtMs: t0, claim: null });
  });

  test('a receiver of states is reminded every minute, also after a reminder that failed in whatever way', () => {
    const state = { ...half, kind: 'state' as const };
    const told = settled(someEntry({ attempts: 1 }), { kind: 'accepted', words: 'HTTP 200' }, state);
    expect(told).toMatchObject({ state: 'holding', nextAtMs: t0 + 60_000 });
    for (const sent of [failing, { kind: 'refused', words: 'HTTP 400' }] as Sent[])
      expect(settled(told, sent, state)).toMatchObject({ state: 'holding', nextAtMs: t0 + 60_000, endedAtMs: null });
    expect(settled(end({ attempts: 1 }), { kind: 'accepted', words: 'HTTP 200' }, state).state).toBe('done');
  });

  test('whatever receivers answer, each incident is told in order, nothing is sent after its end, and all comes to an end', () => {
    const answer = fc.constantFrom<Sent>(
      { kind: 'accepted', words: 'ok' },
      failing,
      { kind: 'refused', words: 'no' },
      { kind: 'retry', words: 'busy', retryAfterMs: 3_600_000, throttle: true },
    );
    fc.assert(
      fc.property(fc.infiniteStream(answer), fc.constantFrom('event' as const, 'state' as const), (answers, kind) => {
        let all = stored(someEntry(), end());
        const sent: string[] = [];
        let nowMs = t0 + 5;
        for (let i = 0; i < 500; i++) {
          const queue = queueOf(all, nowMs);
          const replace = (list: readonly StoredEntry[], by: (e: OutboxEntry) => OutboxEntry) => {
            const these = new Set(keys(list));
            all = all.map((s) =>
              these.has(s.entry.key) ? { ...s, entry: by(list.find((l) => l.entry.key === s.entry.key)!.entry) } : s,
            );
          };
          replace(queue.changed, (e) => e);
          expect(queue.due.length).toBeLessThanOrEqual(1);
          replace(queue.due, (e) => {
            sent.push(e.action);
            return settled(claimed(e, 'me', nowMs), answers.next().value, { kind, nowMs, random: () => 0.5 });
          });
          if (queue.due.length + queue.changed.length === 0 && queue.nextAtMs === null) break;
          nowMs = Math.max(nowMs + 1, queue.nextAtMs ?? nowMs);
        }
        expect(all.every(({ entry }) => entry.endedAtMs !== null)).toBe(true);
        expect(sent).toEqual([...sent].sort());
        expect(new Set(sent)).toEqual(new Set(['fire', 'resolve']));
      }),
      { numRuns: 100 },
    );
  });
});
