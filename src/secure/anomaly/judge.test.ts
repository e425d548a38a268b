import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { anomalyRules, judgeAnomalies } from './judge.ts';
import type { Look, SeenFlow, SeenListener } from './look.ts';
import type { AnomalyContext } from './rule.ts';

const context: AnomalyContext = {
  isInference: (address) => address === '10.0.0.9',
  isOutside: (address) => !address.startsWith('10.'),
};

function look(at: number, part: Partial<Look>): Look {
  return { name: `look ${at}`, atMs: at * 60_000, samples: 1, connections: null, tls: null, access: null, ...part };
}

const flow = (from: string, to: string, port: number, more: Partial<SeenFlow> = {}): SeenFlow => ({
  from,
  to,
  port,
  protocol: 'tcp',
  direction: 'in',
  seen: 1,
  ...more,
});

const connections = (at: number, flows: SeenFlow[], listeners: SeenListener[] = []): Look =>
  look(at, { connections: { flows, listeners } });

function found(looks: Look[]): { id: string; subject: string; severity: string; claim: string }[] {
  return judgeAnomalies(looks, context).flatMap(({ findings }) => findings);
}

const usual = flow('10.0.0.1', '10.0.0.9', 8000);

describe('anomalies', () => {
  test('the same as always is no anomaly, and every rule says how much it asked', () => {
    const looks = Array.from({ length: 12 }, (_, i) => connections(i, [usual]));
    const judged = judgeAnomalies(looks, context);
    expect(judged.flatMap(({ findings }) => findings)).toEqual([]);
    expect(judged.find(({ rule }) => rule.id === 'flow-first-seen')).toMatchObject({
      asked: 1,
      learnt: 11,
      replay: { looks: 10, asked: 10, alarms: 0 },
    });
    expect(judged.find(({ rule }) => rule.id === 'tls-key-changed')).toMatchObject({ look: null, asked: 0 });
  });

  test('a first look has nothing to be held against', () => {
    expect(found([connections(0, [usual])])).toEqual([]);
  });

  test('a caller who never called is told with how often was looked; looks are put in the order of time', () => {
    const stranger = flow('10.0.0.77', '10.0.0.9', 8000);
    const [one] = found([connections(3, [usual, stranger]), connections(1, [usual]), connections(2, [usual])]);
    expect(one).toMatchObject({ id: 'flow-first-seen', subject: '10.0.0.9:8000/tcp', severity: 'warning' });
    expect(one!.claim).toContain('10.0.0.77');
    expect(one!.claim).toContain('2 earlier looks');
  });

  test('where strangers come every time, one more is only told', () => {
    const looks = Array.from({ length: 6 }, (_, i) => connections(i, [flow(`10.0.1.${i}`, '10.0.0.9', 443)]));
    expect(found(looks)).toMatchObject([{ id: 'flow-first-seen', severity: 'info' }]);
  });

  test('a listener that leaves loopback; one that was open before, or may be a client, is none', () => {
    const at = (address: string, port: number, certain = true) => ({ protocol: 'tcp', address, port, certain });
    const before = connections(0, [], [at('127.0.0.1', 11434), at('0.0.0.0', 22), at('127.0.0.1', 5353, false)]);
    const now = connections(1, [], [at('0.0.0.0', 11434), at('::', 22), at('0.0.0.0', 5353, false)]);
    expect(found([before, now])).toMatchObject([{ id: 'listener-moved', subject: 'tcp/11434', severity: 'critical' }]);
  });

  test('the first way out of an inference host; to its own network is none, and a host that always went out is none', () => {
    const out = flow('10.0.0.9', '203.0.113.5', 443, { direction: 'out' });
    expect(found([connections(0, [usual]), connections(1, [usual, out])]).map(({ id }) => id)).toContain(
      'inference-egress-first-seen',
    );
    const inside = flow('10.0.0.9', '10.0.0.2', 443, { direction: 'out' });
    const ids = (looks: Look[]) => found(looks).map(({ id }) => id);
    expect(ids([connections(0, [usual]), connections(1, [usual, inside])])).not.toContain(
      'inference-egress-first-seen',
    );
    const other = flow('10.0.0.9', '203.0.113.6', 443, { direction: 'out' });
    expect(ids([connections(0, [usual, out]), connections(1, [usual, other])])).not.toContain(
      'inference-egress-first-seen',
    );
  });

  test('octets that turn about; a small turn, few octets or an unsteady past are none', () => {
    const bytes = (at: number, bytesOut: number, bytesIn: number) => connections(at, [{ ...usual, bytesOut, bytesIn }]);
    const past = [bytes(0, 1e5, 9e6), bytes(1, 1e5, 5e6), bytes(2, 1e5, 7e6)];
    const ids = (last: Look, before = past) => found([...before, last]).map(({ id }) => id);
    expect(ids(bytes(3, 8e6, 1e5))).toEqual(['bytes-inverted']);
    expect(ids(bytes(3, 1.1e6, 1e6))).toEqual([]);
    expect(ids(bytes(3, 9000, 100))).toEqual([]);
    expect(ids(bytes(3, 8e6, 1e5), [...past.slice(0, 2), bytes(2, 9e6, 1e5)])).toEqual([]);
  });

  test('TLS: a downgrade and a changed key; what could not be seen is neither', () => {
    const tls = (
      at: number,
      isPostQuantum: boolean | null,
      keySha256: string | null,
      notAfter = '2027-06-01T00:00:00Z',
    ) =>
      look(at, {
        atMs: Date.UTC(2026, 10, 1 + at),
        tls: [
          {
            endpoint: 'eu-chat',
            verdict: 'v',
            isPostQuantum,
            group: isPostQuantum ? 'X25519MLKEM768' : 'x25519',
            keySha256,
            notAfter,
          },
        ],
      });
    const ids = (...looks: Look[]) => found(looks).map(({ id, severity }) => `${id} ${severity}`);
    expect(ids(tls(0, true, 'aa'), tls(1, false, 'bb'))).toEqual([
      'tls-group-downgrade critical',
      'tls-key-changed warning',
    ]);
    expect(ids(tls(0, true, 'aa'), tls(1, null, null))).toEqual([]);
    expect(ids(tls(0, true, 'aa'), tls(1, null, null), tls(2, false, 'aa'))).toEqual(['tls-group-downgrade critical']);
    expect(ids(tls(0, false, 'aa'), tls(1, true, 'aa'))).toEqual([]);
    expect(ids(tls(0, true, 'aa', '2026-11-20T00:00:00Z'), tls(1, true, 'bb'))).toEqual(['tls-key-changed info']);
  });

  test('authentication that opens, wholly or by one path more; what closes or is unknown is none', () => {
    const access = (
      at: number,
      authentication: 'none' | 'partial' | 'enforced' | 'unknown',
      openPaths: string[] = [],
    ) => look(at, { access: [{ server: '10.0.0.9:8000', engine: 'vLLM', authentication, openPaths }] });
    const ids = (...looks: Look[]) => found(looks).map(({ id }) => id);
    expect(ids(access(0, 'enforced'), access(1, 'none', ['/v1/models']))).toEqual(['auth-became-open']);
    expect(ids(access(0, 'enforced'), access(1, 'partial', ['/invocations']))).toEqual(['auth-became-open']);
    expect(ids(access(0, 'partial', ['/a']), access(1, 'partial', ['/a', '/b']))).toEqual(['auth-became-open']);
    expect(ids(access(0, 'partial', ['/a', '/b']), access(1, 'partial', ['/a']))).toEqual([]);
    expect(ids(access(0, 'none', ['/a']), access(1, 'enforced'))).toEqual([]);
    expect(ids(access(0, 'enforced'), access(1, 'unknown'))).toEqual([]);
  });

  test('counts: on harmless Poisson traffic with a daily swing the rule speaks in less than 1 in 1,000, and of ten times as much always', () => {
    const random = seededRandom(7);
    const poisson = (mean: number) => {
      let [k, p] = [0, random()];
      for (const limit = Math.exp(-mean); p > limit; k++) p *= random();
      return k;
    };
    const mean = (service: number, hour: number) => (3 + service) * (1 + 0.3 * Math.sin((2 * Math.PI * hour) / 24));
    const hour = (at: number, times = 1) =>
      connections(
        at,
        Array.from({ length: 40 }, (_, s) =>
          flow('10.0.0.1', `10.0.2.${s}`, 443, { seen: poisson(mean(s, at) * times) }),
        ),
      );
    const quiet = Array.from({ length: 240 }, (_, at) => hour(at));
    const rules = anomalyRules.filter(({ id }) => id === 'flow-count-unusual');
    const [replayed] = judgeAnomalies(quiet, context, rules);
    expect(replayed!.replay.asked).toBeGreaterThan(9000);
    expect(replayed!.replay.alarms / replayed!.replay.asked).toBeLessThan(1e-3);
    const [loud] = judgeAnomalies([...quiet, hour(240, 10)], context, rules);
    expect(loud!.findings).toHaveLength(40);
    const [silent] = judgeAnomalies([...quiet, connections(240, [])], context, rules);
    expect(silent!.findings.length).toBeGreaterThan(20);
  });

  test('what is learnt already is never unusual: judging a look that was seen before finds nothing first', () => {
    const host = fc.integer({ min: 1, max: 6 }).map((n) => `10.0.0.${n}`);
    const someFlow = fc.tuple(host, host, fc.integer({ min: 1, max: 3 })).map(([a, b, port]) => flow(a, b, port));
    const someLook = fc.array(someFlow, { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(someLook, { minLength: 1, maxLength: 6 }), fc.nat(), (history, pick) => {
        const looks = history.map((flows, at) => connections(at, flows));
        const again = connections(history.length, history[pick % history.length]!);
        const ids = found([...looks, again]).map(({ id }) => id);
        return !ids.includes('flow-first-seen') && !ids.includes('inference-egress-first-seen');
      }),
    );
  });
});
