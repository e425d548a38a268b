import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Drive } from './drive.ts';
import type { SearchResult } from './search.ts';
import { fitTcp, tcpSizesOf, THIS_HOST, verdictOf } from './verdict.ts';

const complete: SearchResult = {
  state: 'complete',
  confirmedBytes: 1450,
  refutedBytes: 1451,
  saidBy: null,
  chanceOfLoss: 0.001,
  loss: { sent: 20, lost: 0 },
  ignoredTooBig: 0,
  tallies: [],
  probes: 20,
};
const drive: Drive = { failure: null, unreachable: null, slowestMs: 10 };
const around = { way: 'forward' as const, maxReason: 'larger ones were not tried', interrupted: false, drive };
const said = (by: string, mtuBytes: number | null) => ({
  saidBy: { by, mtuBytes, probedBytes: 1451 },
  chanceOfLoss: 0,
});
const nothing = { state: 'error' as const, confirmedBytes: null, refutedBytes: null, chanceOfLoss: null };

describe('verdictOf()', () => {
  test.each([
    ['silence', {}, {}, 'black-hole', 'nobody says'],
    ['silence that may be loss', { chanceOfLoss: 0.2 }, {}, 'unknown', 'loses too much'],
    ['a router', said('192.0.2.1', 1450), {}, 'icmp-confirmed', '192.0.2.1 says "too big, 1450"'],
    ['a router without a number', said('192.0.2.1', null), {}, 'icmp-confirmed', 'names no MTU'],
    ['this host', said(THIS_HOST, null), {}, 'no-limit', 'this host itself'],
    ['no limit', { refutedBytes: null, chanceOfLoss: null }, {}, 'no-limit', 'were not tried'],
    ['silence on the way back', {}, { way: 'reverse' as const }, 'limited', 'cannot be seen'],
    ['a reflector that cannot', said('the reflector', null), { way: 'reverse' as const }, 'limited', 'takes no larger'],
    ['loss on the way back', { chanceOfLoss: 0.2 }, { way: 'reverse' as const }, 'unknown', 'too much is lost'],
    ['no answer', nothing, {}, 'unknown', 'not answered'],
    [
      'a firewall',
      nothing,
      { drive: { ...drive, unreachable: { by: 'r7', message: 'no' } } },
      'unknown',
      'r7 says: no',
    ],
    ['a failed send', nothing, { drive: { ...drive, failure: { errno: 'EPERM' } } }, 'unknown', 'EPERM'],
    ['Ctrl-C at once', { ...nothing, state: 'base' as const }, { interrupted: true }, 'unknown', 'stopped'],
    ['Ctrl-C', { state: 'searching' as const }, { interrupted: true }, 'unknown', '1450 octets arrive, 1451 do not'],
    ['a search without end', { state: 'searching' as const }, {}, 'unknown', 'too many probes'],
  ])('%s', (_name, result, more, verdict, why) => {
    const tallies = [{ sizeBytes: 1200, sent: 3, acked: 0, tooBig: 0, silent: 3, by: null, saidMtuBytes: null }];
    const found = verdictOf({ ...complete, tallies, ...result }, { ...around, ...more });
    expect(found).toMatchObject({ verdict, why: expect.stringContaining(why), hop: null });
  });
});

describe('tcpSizesOf() and fitTcp()', () => {
  const sizes = { sendMssBytes: 1448, advertisedMssBytes: 1448, pathMtuBytes: 1500, optionBytes: 12 };
  const of = (patch: Partial<typeof sizes>, interfaceMtuBytes = 1500) =>
    tcpSizesOf({ ...sizes, ...patch }, { family: 4, port: 443, interfaceMtuBytes });

  test('count options in, and say whose limit it is', () => {
    expect(of({})).toMatchObject({
      packetBytes: 1500,
      mssBytes: 1460,
      advertisedMssBytes: 1460,
      limitedBy: 'interface',
    });
    expect(of({ sendMssBytes: 1368 })).toMatchObject({ packetBytes: 1420, limitedBy: 'peer' });
    expect(of({ sendMssBytes: 1368, pathMtuBytes: 1420 })).toMatchObject({ packetBytes: 1420, limitedBy: 'kernel' });
    // Half of a window of 64 KiB: the kernel's own bound, not the peer's announcement.
    expect(of({ sendMssBytes: 32_741, pathMtuBytes: 65_535 }, 65_536).limitedBy).toBe('interface');
  });

  test('fit only what is known to arrive', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 500, max: 9000 }),
        fc.integer({ min: 68, max: 9000 }),
        fc.nat(500),
        (packet, low, more) => {
          const direction = verdictOf({ ...complete, confirmedBytes: low, refutedBytes: low + 1 + more }, around);
          const fits = fitTcp({ ...of({}), packetBytes: packet }, direction)?.fits;
          expect(fits).toBe(packet <= low ? true : packet > low + more ? false : null);
        },
      ),
    );
    expect(fitTcp(null, verdictOf(complete, around))).toBeNull();
  });
});
