import { describe, expect, test } from 'vitest';
import type { StallCause } from '../model/capture/judged.ts';
import type { Finding } from '../model/finding.ts';
import type { Observation } from '../model/observation.ts';
import { networkOf, now } from './build.case.ts';
import type { CapturedAnswer, CapturedConnection } from './captured.ts';
import { viewOf } from './rule.ts';
import { rules } from './rules.ts';

const head = {
  at: '2026-11-23T11:50:00.000Z',
  from: 'gateway',
  to: 'e1',
  how: 'packet capture',
  outcome: { kind: 'answered' },
  address: '192.0.2.1:443',
} as const;

function stallOf(cause: StallCause, gapMs = 400): CapturedAnswer['stalls'][number] {
  return { gapMs, cause, confidence: 'high', networkMs: 0, serverMs: 0, evidence: `because of ${cause}` };
}

/** A healthy answer of 101 chunks at 20 ms; the workload is chat: 500 ms, 50 ms, 1 %. */
function answer(patch: Partial<CapturedAnswer> = {}): CapturedAnswer {
  return {
    kind: 'capture-exchange',
    ...head,
    serverName: null,
    shape: 'stream',
    ttftMs: 200,
    ttftAt: 'client',
    split: { networkMs: 30, serverMs: 170, plusMinusMs: 2 },
    totalMs: 2200,
    chunks: 101,
    gaps: { count: 100, medianMs: 20, p90Ms: 25, p99Ms: 30, maxMs: 40 },
    stallAboveMs: 60,
    stalls: [],
    stallsNotListed: 0,
    overlapped: false,
    confidence: 'high',
    ...patch,
  };
}

function stalled(...causes: StallCause[]): CapturedAnswer {
  return answer({
    gaps: { count: 100, medianMs: 20, p90Ms: 25, p99Ms: 400, maxMs: 400 },
    stalls: causes.map((cause) => stallOf(cause)),
  });
}

const way = {
  dataPackets: 1000,
  lostBeforeTap: 0,
  lostBehindTap: 0,
  needless: 0,
  reordered: 0,
  captureLosses: 0,
  marked: 0,
};
const trip = (lowestMs: number) => ({ lowestMs, meanMs: lowestMs, highestMs: lowestMs, samples: 9 });

function connection(patch: Partial<CapturedConnection> = {}): CapturedConnection {
  return {
    kind: 'capture-connection',
    ...head,
    durationMs: 3000,
    fromStart: true,
    bothWays: true,
    toServer: trip(20),
    toClient: trip(5),
    up: way,
    down: way,
    clientWindow: { closed: 0, closedMs: 0, filled: 0 },
    ...patch,
  };
}

const times = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);

function find(id: string, observations: Observation[]): Finding | undefined {
  return rules.find((rule) => rule.id === id)!.judge(networkOf(), viewOf(observations), now)[0];
}

describe('findings of a capture', () => {
  test.each(rules.filter(({ id }) => id.startsWith('capture-')).map(({ id }) => [id]))(
    '%s says nothing without one',
    (id) => {
      expect(find(id, [])).toBeUndefined();
    },
  );

  test.each<[string, string, Finding['verdict'], Observation[]]>([
    ['quick answers pass', 'capture-ttft', 'pass', times(300, answer)],
    ['a few quick answers do not', 'capture-ttft', 'unknown', times(20, answer)],
    ['late ones fail', 'capture-ttft', 'fail', times(50, () => answer({ ttftMs: 900 }))],
    ['times at the tap only cannot pass', 'capture-ttft', 'unknown', times(300, () => answer({ ttftAt: 'tap' }))],
    ['and can fail', 'capture-ttft', 'fail', times(50, () => answer({ ttftMs: 900, ttftAt: 'tap' }))],
    [
      'overlapping answers are nobody’s',
      'capture-ttft',
      'pass',
      [...times(300, answer), ...times(9, () => answer({ ttftMs: 9000, overlapped: true }))],
    ],
    [
      'both sides of the tap are the way',
      'capture-rtt',
      'fail',
      times(90, () => connection({ toServer: trip(40), toClient: trip(15) })),
    ],
    [
      'and each alone is not',
      'capture-rtt',
      'pass',
      times(300, () => connection({ toServer: trip(40), toClient: trip(5) })),
    ],
    ['no loss in many packets passes', 'capture-loss', 'pass', times(5, connection)],
    [
      'loss on either side fails',
      'capture-loss',
      'fail',
      times(5, () => connection({ down: { ...way, lostBehindTap: 8 } })),
    ],
    [
      'what was sent again needlessly is no loss',
      'capture-loss',
      'pass',
      times(5, () => connection({ down: { ...way, needless: 50 } })),
    ],
    [
      'what the capture lost forbids a pass',
      'capture-loss',
      'unknown',
      times(5, () => connection({ down: { ...way, captureLosses: 20 } })),
    ],
    ['gaps without stalls pass', 'capture-network-stalls', 'pass', times(9, answer)],
    [
      'stalls by the network are its own',
      'capture-network-stalls',
      'fail',
      times(9, () => stalled('loss', 'delay', 'reordering')),
    ],
    [
      'and not the server’s',
      'capture-server-stalls',
      'pass',
      times(9, () =>
        answer({
          ...stalled('loss', 'delay'),
          gaps: { count: 100, medianMs: 20, p90Ms: 25, p99Ms: 45, maxMs: 400 },
          stallAboveMs: 50,
        }),
      ),
    ],
    ['a silent server is', 'capture-server-stalls', 'fail', times(9, () => stalled('server', 'server', 'server'))],
    [
      'unknown causes keep it open',
      'capture-server-stalls',
      'unknown',
      times(9, () => stalled('unknown', 'unknown', 'unknown')),
    ],
    [
      'a closed window',
      'capture-client-window',
      'fail',
      times(9, () => stalled('receiver-window', 'receiver-window', 'receiver-window')),
    ],
    [
      'held back by a proxy',
      'capture-buffering',
      'fail',
      times(9, () => stalled('buffering', 'buffering', 'buffering')),
    ],
    ['Nagle', 'capture-nagle', 'fail', times(9, () => stalled('nagle', 'nagle', 'nagle'))],
    ['a good capture passes', 'capture-quality', 'pass', times(5, connection)],
    [
      'a bad one is unknown and never a fault of the network',
      'capture-quality',
      'unknown',
      times(5, () => connection({ down: { ...way, captureLosses: 200 } })),
    ],
    ['a capture of one direction too', 'capture-quality', 'unknown', times(5, () => connection({ bothWays: false }))],
  ])('%s: %s is %s', (_, id, verdict, observations) => {
    const found = find(id, observations)!;
    expect(found.verdict).toBe(verdict);
    if (verdict === 'fail') expect(found.remedy?.text).toMatch(/\w/);
  });

  test('loss is told by its side of the tap', () => {
    const lossy = (side: 'client' | 'server') =>
      find(
        'capture-loss',
        times(5, () => connection({ down: { ...way, [side === 'client' ? 'lostBehindTap' : 'lostBeforeTap']: 9 } })),
      )!;
    expect(lossy('client').remedy!.text).toContain('between tap and client');
    expect(lossy('server').remedy!.text).toContain('between tap and server');
    expect(lossy('server').details[0]).toMatch(/^45 lost between tap and server, 0 between tap and client/);
  });

  test('gaps between the limit and what was looked at as a stall may be anybody’s', () => {
    const gaps = { count: 100, medianMs: 20, p90Ms: 55, p99Ms: 58, maxMs: 59 };
    expect(
      find(
        'capture-network-stalls',
        times(9, () => answer({ gaps })),
      ),
    ).toMatchObject({ verdict: 'unknown' });
  });

  test('the remedy of late answers is for those who took the time', () => {
    const late = (networkMs: number, serverMs: number) =>
      find(
        'capture-ttft',
        times(50, () => answer({ ttftMs: 900, split: { networkMs, serverMs, plusMinusMs: 20 } })),
      )!.remedy!.text;
    expect(late(50, 850)).toMatch(/the network cannot fix this/);
    expect(late(850, 50)).toMatch(/shorten the way/);
    expect(late(440, 460)).toMatch(/capture at the server too/);
  });
});
