import { expect, test } from 'vitest';
import { plannedNetwork } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { measuredOf, pairKey } from './measured.ts';

const network = plannedNetwork.parse({
  version: 1,
  vantage: { name: 'probe', site: 'office' },
  sites: [
    { name: 'office', role: 'user' },
    { name: 'dc', role: 'dc' },
  ],
  endpoints: [{ name: 'chat', url: 'https://h.example', site: 'dc' }],
});

function ping(from: string, to: string, rttMs: number | null): Observation {
  const outcome = rttMs === null ? { kind: 'lost' as const } : { kind: 'answered' as const };
  const at = '2026-01-01T00:00:00.000Z';
  return { kind: 'ping', at, from, to, how: 'test', outcome, address: '192.0.2.1', method: 'icmp', sequence: 1, rttMs };
}

test('answers of a vantage to an endpoint count for their sites, either way round; what was lost or is nowhere says nothing', () => {
  const seen = [
    ping('probe', 'chat', 10),
    ping('dc', 'office', 30),
    ping('probe', 'chat', 11),
    ping('probe', 'chat', null),
  ];
  const rtts = measuredOf(network, [...seen, ping('elsewhere', 'chat', 1)]).rtts;
  expect([...rtts.keys()]).toEqual([pairKey('office', 'dc')]);
  expect(rtts.get(pairKey('dc', 'office'))).toMatchObject({
    rttMs: 11,
    n: 3,
    how: 'median of 3 measured round trips (ping)',
  });
});

test('what light cannot do is not used, and is told', () => {
  const far = {
    ...network,
    sites: network.sites.map((site, i) => ({
      ...site,
      location: [
        { lat: 50, lon: 8 },
        { lat: 40, lon: -74 },
      ][i]!,
    })),
  };
  const { rtts, notes } = measuredOf(far, [ping('probe', 'chat', 5)]);
  expect(rtts.size).toBe(0);
  // 6,200 km of great circle less the error of places, twice, over 299,792 km/s: 41 ms.
  expect(notes.join()).toMatch(
    /^office – dc: 5 ms were measured, but light in a vacuum takes 40\.\d ms over the great circle/,
  );
  expect(measuredOf(far, [ping('probe', 'chat', 41)]).rtts.size).toBe(1);
});
