import { describe, expect, test } from 'vitest';
import type { MtuDirection, TcpSizes } from './mtu.ts';
import { adviceOf, clampAdvice, placeOf } from './mtu-advice.ts';
import { hintOf, knownMtus } from './mtu-hints.ts';
import type { ObservationOf } from './observation.ts';

const hop = {
  afterTtl: 0,
  afterAddress: null,
  beforeTtl: 2,
  beforeAddress: '192.0.2.2',
  confidence: 'medium' as const,
  why: 'built by a test',
};
const hole: MtuDirection = {
  verdict: 'black-hole',
  why: 'built by a test',
  confirmedBytes: 1450,
  refutedBytes: 1451,
  by: null,
  saidMtuBytes: null,
  chanceOfLoss: 0.001,
  hop,
};
const tcp: TcpSizes = {
  port: 443,
  packetBytes: 1500,
  mssBytes: 1460,
  advertisedMssBytes: 1460,
  kernelMtuBytes: 1500,
  limitedBy: 'interface',
  fits: false,
};
const base: ObservationOf<'mtu'> = {
  kind: 'mtu',
  at: '2026-01-01T00:00:00.000Z',
  from: 'here',
  to: 'there',
  how: 'ICMP echo',
  outcome: { kind: 'answered' },
  address: '192.0.2.9',
  family: 4,
  method: 'icmp',
  interfaceName: 'eth7',
  interfaceMtuBytes: 1500,
  maxBytes: 1500,
  forward: hole,
  reverse: null,
  tcp,
  ladder: [],
  reverseLadder: [],
  probes: 10,
  lossShare: 0,
  notes: [],
};
const advice = (patch: Partial<typeof base>) => adviceOf({ ...base, ...patch }).join('\n');

describe('adviceOf()', () => {
  test('for a narrower way back: the MSS that this host announces, where it is too large for it', () => {
    const reverse = { ...hole, verdict: 'limited' as const, confirmedBytes: 1400, refutedBytes: 1401, hop: null };
    const free = { ...hole, verdict: 'no-limit' as const, confirmedBytes: 1500, refutedBytes: null };
    expect(advice({ forward: free, reverse })).toContain('the way back carries 1400: clamp the MSS of TCP to 1360');
    expect(advice({ forward: free, reverse: { ...reverse, confirmedBytes: 1500 } })).not.toContain('way back');
  });

  test('for a black hole: what hangs, which message to let through where, clamp, lower MTU with this interface', () => {
    const text = advice({});
    for (const part of [
      'TCP to port 443 sends packets of up to 1500 octets',
      'hang',
      'ICMP type 3 code 4',
      'between this host and hop 2 (192.0.2.2)',
      'maxseg size set 1410',
      'ip link set eth7 mtu 1450',
      '192.0.2.9',
      'tcp_mtu_probing=1',
      'VXLAN',
    ])
      expect(text).toContain(part);
  });

  test('does not tell to clamp what is clamped', () => {
    const text = advice({ tcp: { ...tcp, packetBytes: 1400, limitedBy: 'peer', fits: true } });
    expect(text).toContain('they fit');
    expect(text).not.toContain('maxseg');
  });

  test('over IPv6 speaks of its messages, header and least MTU', () => {
    const text = advice({ family: 6, forward: { ...hole, confirmedBytes: 1270, refutedBytes: 1271 } });
    for (const part of ['ICMPv6 type 2', 'ip6 filter', 'size set 1210', 'RFC 8200']) expect(text).toContain(part);
  });

  test('for a confirmed limit that TCP ignores: the clamp; for no limit: neither clamp nor hint', () => {
    expect(advice({ forward: { ...hole, verdict: 'icmp-confirmed', by: '192.0.2.1' } })).toContain(
      'maxseg size set 1410',
    );
    const free = advice({ forward: { ...hole, verdict: 'no-limit', refutedBytes: null }, tcp: null });
    expect(free).not.toMatch(/maxseg|typical/);
  });

  test.each([
    ['icmp', '--method udp'],
    ['udp', '--method icmp'],
  ] as const)('when %s is not answered, names the next thing to try', (method, wanted) => {
    const forward = { ...hole, verdict: 'unknown' as const, confirmedBytes: null, refutedBytes: null };
    expect(advice({ method, forward, outcome: { kind: 'lost' } })).toContain(wanted);
  });
});

test('placeOf() names hops without an address by their number', () => {
  expect(placeOf({ ...hop, afterTtl: 1 })).toBe('between hop 1 and hop 2 (192.0.2.2)');
});

test('clampAdvice() takes 40 octets off for IPv4 and 60 for IPv6', () => {
  expect(clampAdvice(4, 1500)).toContain('to 1460 ');
  expect(clampAdvice(6, 1500)).toContain('to 1440 ');
});

describe('knownMtus', () => {
  test('is a falling list of sizes that can exist, each once', () => {
    const sizes = knownMtus.map(({ bytes }) => bytes);
    expect(sizes).toEqual([...new Set(sizes)].toSorted((a, b) => b - a));
    expect(Math.min(...sizes)).toBe(68);
  });

  test('hintOf() knows tunnels by their number and nothing by others', () => {
    expect([1492, 1476, 1450, 1420].map(hintOf)).toEqual(['PPPoE', 'a GRE tunnel', 'VXLAN over IPv4', 'WireGuard']);
    expect(hintOf(1433)).toBeNull();
  });
});
