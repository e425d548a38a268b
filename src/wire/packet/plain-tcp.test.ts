import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newFrame } from '../pcap/frame.ts';
import { decodePacket } from './decode.ts';
import { ethernetFrame, ip4 } from './frames.case.ts';
import { linkType } from './link.ts';
import { newPacket } from './packet.ts';
import { plainTcp } from './plain-tcp.ts';

const tcp = Buffer.alloc(20 + 12 + 8 + 30);
tcp.set([0xc0, 0, 0x01, 0xbb, 0xff, 0, 0, 1, 0x80, 0, 0, 2, 0xa0, 0x18, 0xff, 0xff]);
tcp.set([1, 1, 8, 10, 0xf0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 1, 1, 1, 1, 1, 0], 20);
const whole = ethernetFrame(0x0800, ip4({ protocol: 6 }, tcp));

const ethernet = { ...newFrame(), bytes: whole, end: whole.length, originalLength: whole.length, linkType: 1 };

test('the short way is taken by what it is for', () => {
  expect(plainTcp(ethernet, newPacket())).toBe(true);
});

test('the short way through a frame fills a packet as the long one does, or is not taken', () => {
  const change = fc.record({ at: fc.nat(80), octet: fc.nat(255) });
  const shape = fc.record({
    changes: fc.array(change, { maxLength: 3 }),
    cut: fc.nat(60),
    pad: fc.nat(20),
    beyond: fc.nat(30),
    fcsBytes: fc.constantFrom(0, 4),
  });
  let short = 0;
  fc.assert(
    fc.property(shape, ({ changes, cut, pad, beyond, fcsBytes }) => {
      const bytes = Buffer.concat([Buffer.alloc(3), whole, Buffer.alloc(pad)]);
      // The EtherType stays, since what the long way reads begins behind it.
      for (const { at, octet } of changes) if (at + 17 < bytes.length) bytes[at + 17] = octet;
      const end = bytes.length - cut;
      const originalLength = bytes.length - 3 + beyond;
      const frame = { ...newFrame(), bytes, start: 3, end, originalLength, linkType: linkType.ethernet, fcsBytes };
      const fast = newPacket();
      if (!plainTcp(frame, fast)) return;
      short += 1;
      const slow = newPacket();
      const inside = { ...frame, start: 17, originalLength: originalLength - 14, linkType: linkType.ipv4 };
      expect(decodePacket(inside, slow)).toBe(true);
      expect(fast).toEqual(slow);
    }),
    { numRuns: 3000 },
  );
  expect(short).toBeGreaterThan(500);
});
