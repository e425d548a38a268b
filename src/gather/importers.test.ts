import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importFormats } from '../model/import.ts';
import type { Observation } from '../model/observation.ts';
import { importFixture, importerContract } from './importer.case.ts';
import { chooseImporter, importers } from './importers.ts';

const folder = new URL('../../test/fixtures/outputs/', import.meta.url);
const files = ['debian', 'documented'].flatMap((name) =>
  readdirSync(new URL(`${name}/`, folder)).map((file) => `${name}/${file}`),
);
/** What each file says, read from it by eye: format, then a line for each target or trace. */
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, Facts>;

interface Facts {
  format: string;
  says: string[];
}

/** What an observation says in a line: short enough to be checked against the file by eye. */
function factsOf(observations: readonly Observation[]): string[] {
  const lines: string[] = [];
  for (const to of new Set(observations.map((one) => one.to))) {
    const pings = observations.flatMap((one) => (one.kind === 'ping' && one.to === to ? one : []));
    if (pings.length > 0) lines.push(`ping ${to}: ${pings.map((p) => p.rttMs ?? p.outcome.kind).join(' ')}`);
  }
  for (const one of observations) {
    if (one.kind === 'round-trips') {
      const { sent, received, minMs, medianMs, meanMs, maxMs, stddevMs } = one.figures;
      lines.push(`round-trips ${one.to}: ${received}/${sent} ${[minMs, medianMs, meanMs, maxMs, stddevMs].join(' ')}`);
    }
    if (one.kind === 'transfer') {
      const { direction, protocol, streams, senderMbitPerS, receiverMbitPerS, retransmits, udp, intervals } = one;
      const rates = [senderMbitPerS, receiverMbitPerS].map((rate) => rate && Number(rate.toPrecision(3)));
      const loss = udp ? ` lost ${udp.lost}/${udp.packets}` : '';
      const counts = `${streams} streams, ${retransmits} again, ${intervals.length} intervals`;
      lines.push(
        `${protocol} ${direction} ${one.to} ${one.outcome.kind}: ${rates.join(' > ')} Mbit/s, ${counts}${loss}`,
      );
    }
    if (one.kind === 'trace') {
      const hops = one.hops.map((hop) => {
        const all = [...new Set((hop.replies ?? [hop]).flatMap(({ address }) => address ?? []))];
        return all.length === 0 ? '*' : `${all.join('|')}@${hop.rttMs}`;
      });
      lines.push(`trace ${one.to} ${one.outcome.kind} by ${one.method}: ${hops.join(' ')}`);
    }
  }
  return lines;
}

for (const importer of importers) {
  const own = files.filter((name) => expected[name]?.format === importer.format);
  importerContract(importer, own);
}

describe('importers', () => {
  test('every format has one importer and at least one file', () => {
    expect(importers.map(({ format }) => format)).toEqual(importFormats);
    for (const format of importFormats)
      expect(
        Object.values(expected).map((facts) => facts.format),
        format,
      ).toContain(format);
  });

  test.each(files)('%s says what a reader sees in it', (name) => {
    const { observations, result } = importFixture(name);
    expect({ format: result.ok ? result.file.format : null, says: factsOf(observations) }).toEqual(expected[name]);
  });

  test('a text that nobody knows names the nearest format and why', () => {
    expect(chooseImporter('some words about icmp_seq in a mail')).toEqual({
      ok: false,
      nearest: { format: 'ping', why: 'the word "icmp_seq", but no whole line of ping' },
    });
    expect(chooseImporter('Dear all,\nthe network is slow.\n')).toEqual({ ok: false, nearest: null });
  });
});
