import { expect, test } from 'vitest';
import { plannedNetwork } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { capacityNotes, linkCapacities } from './link-capacities.ts';
import { delaysInWords, linkDelays } from './link-delays.ts';
import { measuredOf } from './measured.ts';

/** A triangle; the way a–c is by b, for the direct link is long. */
const network = plannedNetwork.parse({
  version: 1,
  sites: ['a', 'b', 'c'].map((name) => ({ name, role: 'dc' })),
  nodes: [{ name: 'a-router', site: 'a' }],
  links: [
    { name: 'ab', from: 'a-router', to: 'b', lengthKm: 100, capacityGbps: 10 },
    { name: 'bc', from: 'b', to: 'c', rttMs: 2 },
    { name: 'ac', from: 'a', to: 'c', rttMs: 50, capacityGbps: 1 },
  ],
});
const at = '2026-01-01T00:00:00.000Z';
const outcome = { kind: 'answered' as const };

function ping(from: string, to: string, rttMs: number): Observation {
  return { kind: 'ping', at, from, to, how: 'test', outcome, address: '192.0.2.1', method: 'icmp', sequence: 1, rttMs };
}

function transfer(
  from: string,
  to: string,
  mbitPerS: number,
  more: Partial<Extract<Observation, { kind: 'transfer' }>> = {},
): Observation {
  return {
    kind: 'transfer',
    at,
    from,
    to,
    how: 'test',
    outcome,
    address: '192.0.2.1',
    protocol: 'tcp',
    direction: 'up',
    streams: 4,
    targetMbitPerS: null,
    senderMbitPerS: null,
    receiverMbitPerS: mbitPerS,
    bytes: null,
    durationS: 10,
    retransmits: null,
    congestion: null,
    loadedRtt: null,
    udp: null,
    intervals: [],
    ...more,
  };
}

test('a round trip counts for a link only where the traffic of its sites takes this link and no other', () => {
  const measured = measuredOf(network, [ping('a', 'b', 3), ping('b', 'c', 2.1), ping('c', 'a', 12)]);
  const { delays, notes } = linkDelays(network, measured);
  expect(delays.map(({ rttMs, origin }) => [rttMs, origin])).toEqual([
    [3, 'measured'],
    [2.1, 'measured'],
    [50, 'entered'],
  ]);
  // Light over 100 km takes 0.979 ms there and back; 12 are not the 2.979 of both links.
  expect(notes).toEqual([
    'ab: 3 ms measured (one round trip), 0.979 ms computed; the measured one counts',
    'c – a over 2 links: 12 ms measured (one round trip), 2.98 ms by its links: traffic takes another way than the file has, or a link is longer',
  ]);
  expect(delaysInWords(delays)).toBe(
    'round trip of each link by measured between its sites (2), rttMs entered (1); light in fibre only',
  );
});

test('two links between the same sites, equally long, are not told apart', () => {
  const twins = { ...network, links: [network.links[1]!, { ...network.links[1]!, name: 'twin' }] };
  expect(linkDelays(twins, measuredOf(twins, [ping('b', 'c', 9)])).delays.map(({ origin }) => origin)).toEqual([
    'entered',
    'entered',
  ]);
});

test('a measured rate stands beside what is entered, and over it only where it shows what fits', () => {
  const lost = { protocol: 'udp' as const, udp: { packets: 1000, lost: 300, jitterMs: 1 } };
  const verdict = (...observations: Observation[]) =>
    linkCapacities(network, measuredOf(network, observations)).map(({ link, is, counted }) => [
      link,
      is,
      counted?.value,
      counted?.origin,
    ]);
  const rest = [
    ['bc', 'unknown', undefined, undefined],
    ['ac', 'entered', 1, 'entered'],
  ];
  expect(verdict()).toEqual([['ab', 'entered', 10, 'entered'], ...rest]);
  expect(verdict(transfer('a', 'b', 9400))).toEqual([['ab', 'confirmed', 10, 'entered'], ...rest]);
  // TCP that is slow proves nothing; datagrams that are lost do.
  expect(verdict(transfer('a', 'b', 6100))).toEqual([['ab', 'below', 10, 'entered'], ...rest]);
  expect(verdict(transfer('b', 'a', 6100, lost), transfer('a', 'b', 9400))).toEqual([
    ['ab', 'limited', 6.1, 'measured'],
    ...rest,
  ]);
  expect(verdict(transfer('a', 'b', 6100, lost), transfer('a', 'b', 9400))).toEqual([
    ['ab', 'confirmed', 10, 'entered'],
    ...rest,
  ]);
  expect(verdict(transfer('a', 'b', 23_000))).toEqual([['ab', 'above', 23, 'measured'], ...rest]);
  expect(verdict(transfer('c', 'b', 4000, { direction: 'down' }))[1]).toEqual(['bc', 'atLeast', 4, 'measured']);
  // Traffic between a and c does not take the link that joins them.
  expect(verdict(transfer('a', 'c', 900))[2]).toEqual(['ac', 'entered', 1, 'entered']);
});

test('every way that a rate can stand to a capacity is said in words', () => {
  const notes = (mbitPerS: number) =>
    capacityNotes(linkCapacities(network, measuredOf(network, [transfer('a', 'b', mbitPerS)]))).join();
  expect(notes(9400)).toBe('ab: 9.4 Gbit/s measured where 10 Gbit/s are entered, which confirms them');
  expect(notes(6100)).toContain('the plan counts with what is entered, which is not confirmed');
  expect(notes(23_000)).toContain('the plan counts with what was measured');
});
