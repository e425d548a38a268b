import { describe, expect, test } from 'vitest';
import type { MtuDirection, TcpSizes } from '../../model/mtu.ts';
import type { ObservationOf } from '../../model/observation.ts';
import { mtu, networkOf, now } from '../build.case.ts';
import { viewOf } from '../rule.ts';
import { pathMtu } from './path-mtu.ts';

type Mtu = ObservationOf<'mtu'>;

const hop = {
  afterTtl: 1,
  afterAddress: '192.0.2.1',
  beforeTtl: 2,
  beforeAddress: '192.0.2.2',
  confidence: 'high' as const,
  why: 'built by a test',
};
const unknown: MtuDirection = {
  verdict: 'unknown',
  why: 'packets of 1200 and 68 octets are not answered',
  confirmedBytes: null,
  refutedBytes: null,
  by: null,
  saidMtuBytes: null,
  chanceOfLoss: null,
  hop: null,
};
const hole: MtuDirection = {
  ...unknown,
  verdict: 'black-hole',
  confirmedBytes: 1450,
  refutedBytes: 1451,
  chanceOfLoss: 0.002,
  hop,
};
const confirmed: MtuDirection = {
  ...hole,
  verdict: 'icmp-confirmed',
  by: '192.0.2.1',
  saidMtuBytes: 1450,
  chanceOfLoss: 0,
};
const free: MtuDirection = {
  ...unknown,
  verdict: 'no-limit',
  why: 'packets of 1500 octets arrive',
  confirmedBytes: 1500,
};

const tcp = (packetBytes: number, fits: boolean): TcpSizes => ({
  port: 443,
  packetBytes,
  mssBytes: packetBytes - 40,
  advertisedMssBytes: 1460,
  kernelMtuBytes: 1500,
  limitedBy: 'peer',
  fits,
});

const judge = (...observations: Mtu[]) => pathMtu.judge(networkOf(), viewOf(observations), now);

describe('path-mtu', () => {
  test.each([
    ['a black hole below what TCP sends', mtu(hole, tcp(1500, false)), 'fail', 'critical'],
    ['a black hole of which TCP is not known', mtu(hole), 'fail', 'critical'],
    ['a black hole that TCP does not meet', mtu(hole, tcp(1400, true)), 'fail', 'warning'],
    ['a confirmed limit that TCP ignores', mtu(confirmed, tcp(1500, false)), 'fail', 'warning'],
    ['a confirmed limit with TCP below it', mtu(confirmed, tcp(1400, true)), 'pass', 'info'],
    ['a confirmed limit of which TCP is not known', mtu(confirmed), 'pass', 'info'],
    ['a confirmed limit above Ethernet', mtu({ ...confirmed, confirmedBytes: 8500 }, tcp(9000, false)), 'pass', 'info'],
    ['no limit', mtu(free), 'pass', 'info'],
    ['a search that was stopped above 1500', mtu({ ...unknown, confirmedBytes: 1500 }), 'pass', 'info'],
    ['a search that was stopped below', mtu({ ...unknown, confirmedBytes: 1200 }), 'unknown', 'info'],
    ['silence', mtu(unknown), 'unknown', 'info'],
  ] as const)('%s', (_name, observation, verdict, severity) => {
    expect(judge(observation)).toMatchObject([{ id: 'path-mtu', subject: 'e1', verdict, severity }]);
  });

  test('names the place, both sizes and a command', () => {
    const [finding] = judge(mtu(hole, tcp(1500, false)));
    expect(finding?.claim).toBe(
      'packets of more than 1,450 octets vanish between hop 1 (192.0.2.1) and hop 2 (192.0.2.2), and TCP sends 1,500 octets',
    );
    expect(finding?.remedy?.text).toContain('maxseg size set 1410');
    expect(finding?.remedy?.text).toContain('ICMP type 3 code 4');
  });

  test('a method that was answered counts, whatever the other one met; without any measurement there is no finding', () => {
    expect(judge(mtu(unknown), mtu(free, null, { method: 'udp' }))).toMatchObject([{ verdict: 'pass' }]);
    expect(judge()).toEqual([]);
  });
});
