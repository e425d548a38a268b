import { describe, expect, test } from 'vitest';
import { decodePacket } from '../../wire/packet/decode.ts';
import * as make from '../../wire/packet/frames.case.ts';
import { newPacket } from '../../wire/packet/packet.ts';
import type { Packet } from '../../wire/packet/packet.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { Duplicates, Marks } from './duplicates.ts';

const packet = newPacket();

function copyFinder() {
  const duplicates = new Duplicates();
  const marks = new Marks(1);
  const isDuplicate = (frame: Frame, of: Packet) => {
    marks.set(0, frame, of);
    duplicates.look(marks, 1);
    return marks.isCopy(0);
  };
  return { isDuplicate, counts: duplicates.counts };
}
const frame4 = (id: number, ttl: number, payload: string, sequence = 5, tag?: number) => {
  const inner = make.ip4({ protocol: 6, id, ttl }, make.tcp({ sequence }, Buffer.from(payload)));
  return tag === undefined
    ? make.ethernetFrame(0x0800, inner)
    : make.ethernetFrame(0x8100, make.tag(tag, 0x0800, inner));
};
const frame6 = (hopLimit: number, payload: string) =>
  make.ethernetFrame(0x86dd, make.ip6({ next: 6, hopLimit }, make.tcp({}, Buffer.from(payload))));

/** Whether each of the frames is a copy; times in milliseconds. */
function run(frames: readonly (readonly [atMs: number, octets: Buffer, interfaceId?: number])[]) {
  const duplicates = copyFinder();
  const found = frames.map(([atMs, octets, interfaceId = 0]) => {
    const frame = make.frameOf(octets);
    frame.hasTime = true;
    frame.seconds = 1_700_000_000 + Math.floor(atMs / 1000);
    frame.nanoseconds = Math.round((atMs % 1000) * 1e6);
    frame.interfaceId = interfaceId;
    decodePacket(frame, packet);
    return duplicates.isDuplicate(frame, packet);
  });
  return { found, counts: duplicates.counts };
}

describe('copies in captures', () => {
  test('a mirror of both directions, a router between two mirrored networks, and a trunk', () => {
    const { found, counts } = run([
      [0, frame4(7, 64, 'a')],
      [0.01, frame4(7, 64, 'a')],
      [0.5, frame4(7, 63, 'a')],
      [0.6, frame4(7, 64, 'a', 5, 9)],
    ]);
    expect(found).toEqual([false, true, true, true]);
    expect(counts).toEqual({ packets: 4, duplicates: 3, same: 1, routed: 1, relinked: 1 });
  });

  test('a retransmission has a new identification, or comes later', () => {
    const frames = [
      [0, frame4(7, 64, 'a')],
      [1, frame4(8, 64, 'a')],
      [200, frame4(7, 64, 'a')],
      [300, frame6(64, 'a')],
      [302, frame6(64, 'a')],
      [400, frame4(0, 64, 'a')],
      [402, frame4(0, 64, 'a')],
    ] as const;
    expect(run(frames).found).toEqual([false, false, false, false, false, false, false]);
  });

  test('duplicate acknowledgements without identification are none, unless they came over another link', () => {
    const frames = [
      [0, frame6(64, '')],
      [0.1, frame6(64, '')],
      [0.2, frame6(64, '')],
      [0.3, frame6(64, ''), 1],
      [0.4, frame6(63, '')],
    ] as const;
    expect(run(frames).found).toEqual([false, false, false, true, true]);
  });

  test('with payload and without identification, the same octets within a millisecond are one packet', () => {
    const frames = [
      [0, frame6(64, 'abc')],
      [0.5, frame6(64, 'abc')],
      [0.6, frame6(64, 'abcd')],
    ] as const;
    expect(run(frames).found).toEqual([false, true, false]);
  });

  test('every packet twice, 200,000 of them in between: each copy is found, and nothing else', () => {
    const duplicates = copyFinder();
    const frame = make.frameOf(frame4(7, 64, 'abcdefgh'));
    frame.hasTime = true;
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) {
      // A millisecond has a hundred of them, and each copy comes behind fifty others.
      const isCopy = i % 100 >= 50;
      const number = Math.floor(i / 100) * 50 + (i % 50);
      decodePacket(frame, packet);
      frame.bytes.writeUInt16BE((number % 65_535) + 1, packet.sourceAt - 8);
      frame.bytes.writeUInt32BE(number, packet.transportAt + 4);
      frame.nanoseconds = (i * 10_000) % 1e9;
      frame.seconds = Math.floor((i * 10_000) / 1e9);
      decodePacket(frame, packet);
      if (duplicates.isDuplicate(frame, packet) !== isCopy) wrong++;
    }
    // A slot that another packet took in between loses a copy.
    expect(wrong).toBeLessThan(200);
    expect(duplicates.counts.duplicates).toBeGreaterThan(99_800);
  });

  test('without times nothing is a copy', () => {
    const duplicates = copyFinder();
    const frame = make.frameOf(frame4(7, 64, 'a'));
    decodePacket(frame, packet);
    expect([duplicates.isDuplicate(frame, packet), duplicates.isDuplicate(frame, packet)]).toEqual([false, false]);
  });
});
