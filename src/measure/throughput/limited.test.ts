import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LimitEvidence, whoLimited } from './limited.ts';

const facts = {
  elapsedMs: 10_000,
  busyMs: 9900,
  rwndLimitedMs: 0,
  sndbufLimitedMs: 0,
  busiestThread: 0.2,
  waitedForCore: 0,
};
const network: LimitEvidence = {
  protocol: 'tcp',
  targetMbitPerS: null,
  senderMbitPerS: 300,
  receiverMbitPerS: 295,
  facts,
  localThread: 0.2,
  localWait: 0.01,
  remoteCpu: 0.1,
  remoteWait: null,
  retransmits: 12,
  lossShare: null,
  increaseMs: 140,
  durationS: 10,
  loopback: false,
};

test.each<[string, Partial<LimitEvidence>, string, RegExp]>([
  ['a full path', {}, 'network', /99 %.*12 segments.*140 ms/],
  ['a test of a moment', { durationS: 0.02 }, 'undetermined', /so short/],
  ['the same on loopback', { loopback: true }, 'undetermined', /cores of this machine/],
  ['a rate that was kept', { targetMbitPerS: 300 }, 'bitrate', /300 Mbit\/s/],
  ['a rate that was not kept', { targetMbitPerS: 400 }, 'network', /99 %/],
  ['a saturated thread here', { localThread: 0.97 }, 'this-tool', /97 % of a core/],
  ['a thread here that got no core', { localThread: 0.5, localWait: 0.45 }, 'this-tool', /waited for one for 45 %/],
  ['a saturated peer', { remoteCpu: 0.99 }, 'peer-cpu', /99 % of a core/],
  ['a peer that got no core', { remoteCpu: 0.6, remoteWait: 0.4 }, 'peer-cpu', /waited for one/],
  ['a small receive window', { facts: { ...facts, rwndLimitedMs: 8000 } }, 'receiver-window', /80 %/],
  ['a small send buffer', { facts: { ...facts, sndbufLimitedMs: 7000 } }, 'send-buffer', /70 %/],
  ['nothing to send', { facts: { ...facts, busyMs: 1000 } }, 'sender-idle', /90 %/],
  [
    'a bit of everything',
    { facts: { ...facts, busyMs: 8000, rwndLimitedMs: 3500, sndbufLimitedMs: 1000 } },
    'undetermined',
    /no single cause/,
  ],
  ['a sender that does not tell', { facts: null }, 'undetermined', /does not tell/],
  ['UDP with loss', { protocol: 'udp', facts: null, lossShare: 0.2 }, 'network', /20 % of the packets/],
  ['UDP without loss or rate', { protocol: 'udp', facts: null, lossShare: 0 }, 'undetermined', /no packet was lost/],
  [
    'UDP at its rate, with loss',
    { protocol: 'udp', facts: null, targetMbitPerS: 300, lossShare: 0.2 },
    'network',
    /20 %/,
  ],
])('whoLimited() sees %s', (_, change, cause, because) => {
  const limited = whoLimited({ ...network, ...change });
  expect(limited.cause).toBe(cause);
  expect(limited.because).toMatch(because);
});

test('whoLimited() gives shares between 0 and 1 whatever a peer claims, and never throws', () => {
  const ms = fc.double({ min: 0, max: 1e9, noNaN: true });
  const claimed = fc.record({
    elapsedMs: ms,
    busyMs: ms,
    rwndLimitedMs: ms,
    sndbufLimitedMs: ms,
    busiestThread: ms,
    waitedForCore: ms,
  });
  fc.assert(
    fc.property(claimed, fc.constantFrom('tcp' as const, 'udp' as const), (facts, protocol) => {
      const { shares, because } = whoLimited({ ...network, facts, protocol });
      for (const share of Object.values(shares ?? {})) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
      expect(because).not.toMatch(/NaN|undefined|Infinity/);
    }),
    { numRuns: 2000 },
  );
});
