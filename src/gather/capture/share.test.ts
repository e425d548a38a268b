import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { newPacket } from '../../wire/packet/packet.ts';
import { CaptureError, newFrame } from '../../wire/pcap/frame.ts';
import { captureReader } from '../../wire/pcap/reader.ts';
import { Analyst } from './analyst.ts';
import { shareOf } from './share.ts';

test('both directions of a conversation, and a copy in another network, are in one share', () => {
  const shape = fc.record({
    version: fc.constantFrom(4 as const, 6 as const),
    bytes: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    ports: fc.tuple(fc.nat(65_535), fc.nat(65_535)),
    protocol: fc.constantFrom(6, 17, 1),
    of: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(shape, ({ version, bytes, ports: [a, b], protocol, of }) => {
      const common = { ...newPacket(), version, bytes: Buffer.from(bytes), protocol };
      const there = { ...common, sourceAt: 0, destinationAt: 16, sourcePort: a, destinationPort: b };
      const back = { ...common, sourceAt: 16, destinationAt: 0, sourcePort: b, destinationPort: a, tunnel: 7 };
      const share = shareOf(there, of);
      expect(shareOf(back, of)).toBe(share);
      expect(share).toBeLessThan(of);
      expect(share).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('conversations of one pair of hosts are spread over all shares', () => {
  const counts = [0, 0, 0];
  const packet = { ...newPacket(), version: 4 as const, bytes: Buffer.alloc(32, 9), sourceAt: 0, destinationAt: 16 };
  for (let port = 30_000; port < 33_000; port++)
    counts[shareOf({ ...packet, protocol: 6, sourcePort: port, destinationPort: 443 }, 3)]! += 1;
  expect(Math.min(...counts)).toBeGreaterThan(800);
});

/** All that is found, whoever finds it. */
function findings(capture: Buffer, threads: number) {
  const found: { exchanges: unknown[]; events: unknown[]; flows: unknown[] } = { exchanges: [], events: [], flows: [] };
  const texts = found as { exchanges: string[]; events: string[]; flows: string[] };
  const sums = Array.from({ length: threads }, (_, index) => {
    const analyst = new Analyst(
      {
        exchange: (...of) => texts.exchanges.push(JSON.stringify(of)),
        event: (...of) => texts.events.push(JSON.stringify(of)),
        flow: (...of) => texts.flows.push(JSON.stringify(of)),
      },
      { seed: threads, share: { index, of: threads } },
    );
    const reader = captureReader();
    const frame = newFrame();
    try {
      // In pieces of different sizes: where they end makes no difference either.
      const pieceBytes = 40_000 * threads;
      for (let at = 0; at < capture.length; at += pieceBytes) {
        reader.push(capture.subarray(at, at + pieceBytes));
        while (reader.next(frame)) analyst.analysis.later(frame);
        analyst.analysis.turn();
      }
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
    }
    analyst.analysis.finish();
    return analyst.sums();
  });
  for (const list of Object.values(texts)) list.sort();
  const { duplicates: _, cutShort: __, refusedSeries: ___, ...whole } = sums[0]!;
  return { ...texts, whole, duplicates: sums.reduce((sum, { duplicates }) => sum + duplicates, 0) };
}

const fixture = join(import.meta.dirname, '../../../test/fixtures/captures/lost-and-late.pcapng.gz');
const folders = [sharedData('captures/public'), sharedData('captures/truth')].filter((folder) => folder !== null);
const files = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(pcap|pcapng|cap|dmp)(\.gz)?$/.test(name))
    // Of the long ones that with losses and late packets, on both sides.
    .filter((name) => !/^(exp1|bulk|nagle)/.test(name))
    .map((name) => join(folder, name)),
);

test('two, or five, that share a capture find what one finds, event by event', { timeout: 60_000 }, () => {
  for (const file of [fixture, ...files]) {
    if (!existsSync(file)) continue;
    const octets = readFileSync(file);
    const capture = octets[0] === 0x1f ? gunzipSync(octets) : octets;
    const one = findings(capture, 1);
    for (const threads of [2, 5]) expect(findings(capture, threads), file).toEqual(one);
  }
});
