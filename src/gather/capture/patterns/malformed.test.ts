import { expect, test } from 'vitest';
import { patternReport } from '../../../model/capture/pattern.ts';
import { quicFlow } from '../../../model/capture/quic.ts';
import { roceReport } from '../../../model/capture/roce.ts';
import { seededRandom } from '../../../stats/random.ts';
import { newPacket } from '../../../wire/packet/packet.ts';
import { PacketTap } from './packet-tap.ts';
import { PatternBook } from './book.ts';
import { roce } from './datagram.case.ts';
import { sitePrefixes } from './direction.ts';

/**
 * A hundred thousand packets that no honest sender made, into a few flows: octets at random or flipped, numbers at their edges, clocks
 * that jump. Nothing throws, and what comes out is what the schemas promise.
 */
test('hostile packets neither throw nor make numbers that are none', () => {
  const random = seededRandom(20_261_127);
  const below = (n: number) => Math.floor(random() * n);
  const book = new PatternBook<number>({ prefixes: sitePrefixes(null), startEpochMs: 1.8e12 });
  const tap = new PacketTap();
  const flows = Array.from({ length: 40 }, () => tap.begin());
  const packet = newPacket();
  const bytes = Buffer.alloc(128);
  const good = [
    Buffer.from('c300000001088394c8f03e5157080000449e0011223344', 'hex'),
    Buffer.from([0x60, 1, 2, 3, 4, 5, 6, 7, 8]),
    roce(6, 17, 0xff_fff0, { reth: 9000, carried: 20 }),
    roce(0x11, 17, 0xff_fff0, { syndrome: 0x60 }),
    Buffer.from('16030100c8', 'hex'),
  ];
  const ports = [443, 4791, 22, 0, 65_535];
  packet.bytes = bytes;
  let ms = 0;
  for (let n = 0; n < 100_000; n++) {
    bytes.fill(below(4) === 0 ? below(256) : 0);
    good[below(good.length)]!.copy(bytes, 40);
    for (let flips = below(6); flips > 0; flips--) bytes[below(128)] = below(256);
    packet.version = ([4, 6, 4] as const)[below(3)]!;
    packet.sourceAt = 0;
    packet.destinationAt = 16;
    packet.protocol = [6, 17, 17, 1][below(4)]!;
    packet.fragment = below(20) === 0 ? 2 : 0;
    packet.sourcePort = ports[below(5)]!;
    packet.destinationPort = ports[below(5)]!;
    packet.payloadAt = 40;
    packet.capturedBytes = below(89);
    packet.payloadBytes = [packet.capturedBytes, -1, 0, 65_535, 2 ** 31][below(5)]!;
    packet.flags = below(512);
    packet.sequence = Math.floor(random() * 2 ** 32);
    packet.ecn = below(4);
    ms += [0, 0.01, 30, -50, 1e7][below(40) === 0 ? 4 : below(4)]!;
    flows[below(40)]!.add(packet, ms, below(2) === 0);
    if (packet.protocol === 17) tap.datagram(packet, ms, 1);
  }
  let quic = 0;
  for (const [i, features] of flows.entries()) {
    if (features.quic) {
      quicFlow.parse(features.quic.report());
      quic++;
    }
    book.end(features.end(), { bytes, clientAt: 0, serverAt: 16, version: 4 }, i);
  }
  const patterns = book.finish(tap.sums().refusedSeries);
  const rdma = tap.sums().roce;
  patternReport.parse(patterns);
  roceReport.parse(rdma);
  expect(patterns.matrix.cells.reduce((sum, cell) => sum + cell.flows, 0)).toBe(40);
  expect(rdma.packets).toBeGreaterThan(5000);
  expect(rdma.notRead).toBeGreaterThan(1000);
  expect(quic).toBeGreaterThan(0);
});
