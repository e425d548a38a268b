import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newPacket, type Packet } from '../../../wire/packet/packet.ts';
import { Defragmenter } from './defragment.ts';

interface Piece {
  id: number;
  offset: number;
  octets: Buffer;
  more: boolean;
}

function fragment({ id, offset, octets, more }: Piece): Packet {
  const bytes = Buffer.concat([Buffer.from([10, 0, 0, 1, 10, 0, 0, 2]), octets]);
  return {
    ...newPacket(),
    bytes,
    version: 4,
    sourceAt: 0,
    destinationAt: 4,
    ipId: id,
    fragmentAt: 8,
    packetEnd: bytes.length,
    fragmentOffset: offset,
    moreFragments: more,
  };
}

test('a datagram is whole when its last piece came, in whatever order, and some of them twice', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat()),
      (octets, units, order) => {
        const size = 8 * units;
        const pieces: Piece[] = [];
        for (let offset = 0; offset < octets.length; offset += size) {
          const part = Buffer.from(octets.subarray(offset, offset + size));
          pieces.push({ id: 1, offset, octets: part, more: offset + size < octets.length });
        }
        const sent = pieces.map((one) => ({ one, at: order.next().value! })).sort((a, b) => a.at - b.at);
        const defragmenter = new Defragmenter();
        const wholes = [...sent.slice(0, -1), ...sent].map(({ one }) => defragmenter.add(fragment(one)));
        // One of the pieces comes for the first time at the very end: only then nothing is missing.
        const done = wholes.flatMap((whole) => whole ?? []);
        expect(done).toHaveLength(1);
        expect(done[0]!.equals(Buffer.from(octets))).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test('no pieces, however they lie, do harm, and what comes out has the length that the last one says', () => {
  const piece = fc.record({
    id: fc.nat(3),
    offset: fc.nat(8191).map((units) => 8 * units),
    octets: fc.uint8Array({ maxLength: 64 }).map((octets) => Buffer.from(octets)),
    more: fc.boolean(),
  });
  const near = piece.map((one) => ({ ...one, offset: one.offset % 64 }));
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, near), { maxLength: 60 }), (pieces) => {
      const defragmenter = new Defragmenter();
      for (const one of pieces) {
        const whole = defragmenter.add(fragment(one));
        if (whole) expect(whole.length).toBeLessThanOrEqual(65_528 + 64);
      }
      const { pieces: waiting, octets } = defragmenter.waiting;
      expect(waiting).toBeLessThanOrEqual(pieces.length);
      expect(octets).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
});

test('memory is bounded, whether one datagram comes again and again or many never end', () => {
  const octets = Buffer.alloc(1400);
  const again = new Defragmenter();
  for (let i = 0; i < 20_000; i++) again.add(fragment({ id: 1, offset: 8, octets, more: true }));
  expect(again.waiting.pieces).toBeLessThanOrEqual(8192);
  expect(again.waiting.octets).toBeLessThanOrEqual(16 * 1024 * 1024);
  const many = new Defragmenter();
  for (let i = 0; i < 60_000; i++)
    many.add(fragment({ id: i % 5000, offset: 8 * (i % 7), octets: Buffer.alloc(8), more: true }));
  expect(many.waiting.datagrams).toBeLessThanOrEqual(1024);
  expect(many.waiting.pieces).toBeLessThanOrEqual(32_768);
});
