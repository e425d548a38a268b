import { describe, expect, test } from 'vitest';
import { decodePacket } from '../../../wire/packet/decode.ts';
import * as make from '../../../wire/packet/frames.case.ts';
import { newPacket, tcpFlag } from '../../../wire/packet/packet.ts';
import { wiresharkFlagNames } from './flags.ts';
import { WiresharkCompat } from './wireshark.ts';

const { syn, ack, fin, rst } = tcpFlag;
const noOctets = Buffer.alloc(0);

interface Step {
  /** From the client, unless it says otherwise. */
  server?: true;
  atMs: number;
  sequence: number;
  acknowledgement?: number;
  length?: number;
  flags?: number;
  window?: number;
  options?: Buffer;
}

function octetsOf({ server, sequence, acknowledgement = 0, length = 0, flags = ack, window = 1000, options }: Step) {
  const [from, to] = server ? ['10.0.0.2', '10.0.0.1'] : ['10.0.0.1', '10.0.0.2'];
  const ports = server ? { from: 80, to: 4000 } : { from: 4000, to: 80 };
  const shape = {
    ...ports,
    sequence,
    acknowledgement,
    flags,
    window,
    ...(options ? { options } : {}),
  };
  return make.ip4({ protocol: 6, from, to }, make.tcp(shape, Buffer.alloc(length)));
}

/** What is said of each frame; of those without TCP, null. */
function analyseAll(frames: readonly (readonly [atMs: number, octets: Buffer])[]) {
  const compat = new WiresharkCompat();
  const packet = newPacket();
  return frames.map(([atMs, octets], i) => {
    const frame = make.frameOf(octets, 101);
    frame.seconds = 1000 + Math.floor(atMs / 1000);
    frame.nanoseconds = Math.round((atMs % 1000) * 1e6);
    decodePacket(frame, packet);
    const analysis = compat.analyse(frame, packet, i + 1);
    return analysis === null ? null : { ...analysis };
  });
}

const analyse = (steps: readonly Step[]) => analyseAll(steps.map((step) => [step.atMs, octetsOf(step)])).map((a) => a!);
const flagsOf = (steps: readonly Step[]) => analyse(steps).map(({ flags }) => wiresharkFlagNames(flags).join(' '));

/** A handshake that takes 40 ms; the client is at 101, the server at 501. */
const opened: readonly Step[] = [
  { atMs: 0, sequence: 100, flags: syn, options: make.windowScaleOption(2) },
  {
    atMs: 40,
    server: true,
    sequence: 500,
    acknowledgement: 101,
    flags: syn | ack,
    options: make.windowScaleOption(1),
  },
  { atMs: 40, sequence: 101, acknowledgement: 501 },
];
/** Said of what follows the handshake. */
const after = (steps: readonly Step[]) => flagsOf([...opened, ...steps]).slice(opened.length);
const server = true as const;

describe('the analysis of Wireshark', () => {
  test('a handshake is nothing but its round trips', () => {
    const all = analyse(opened);
    expect(all.map(({ flags }) => flags)).toEqual([0, 0, 0]);
    expect(all[1]).toMatchObject({ acksFrame: 1, ackRttNs: 40e6, initialRttNs: 0 });
    expect(all[2]).toMatchObject({ stream: 0, acksFrame: 2, ackRttNs: 0, initialRttNs: 40e6 });
  });

  test('a hole, three duplicate acknowledgements, a fast retransmission', () => {
    const data = (atMs: number, sequence: number): Step => ({
      atMs,
      server,
      sequence,
      acknowledgement: 101,
      length: 100,
    });
    const acked = (atMs: number): Step => ({ atMs, sequence: 101, acknowledgement: 601 });
    const steps = [data(50, 501), acked(51), data(52, 701), acked(53), data(54, 801), acked(55), data(70, 601)];
    expect(after(steps)).toEqual([
      '',
      '',
      'lost_segment',
      'duplicate_ack',
      '',
      'duplicate_ack',
      'retransmission fast_retransmission',
    ]);
    const numbers = analyse([...opened, ...steps]).map((a) => [a.duplicateAckNumber, a.duplicateAckFrame]);
    expect(numbers.slice(6)).toEqual([
      [1, 5],
      [0, 0],
      [2, 5],
      [0, 0],
    ]);
  });

  test('behind the newest segment: out of order within the round trip of the handshake, a retransmission after it', () => {
    const steps = (lateMs: number): Step[] => [
      { atMs: 50, server, sequence: 601, acknowledgement: 101, length: 100 },
      { atMs: 50 + lateMs, server, sequence: 501, acknowledgement: 101, length: 100 },
    ];
    expect(after(steps(39))).toEqual(['lost_segment', 'out_of_order']);
    expect(after(steps(41))).toEqual(['lost_segment', 'retransmission']);
    expect(analyse([...opened, ...steps(41)])[4]).toMatchObject({ rtoFrame: 4, rtoNs: 41e6 });
  });

  test('octets that were acknowledged already are spurious', () => {
    expect(
      after([
        { atMs: 50, server, sequence: 501, acknowledgement: 101, length: 100 },
        { atMs: 51, sequence: 101, acknowledgement: 601 },
        { atMs: 90, server, sequence: 501, acknowledgement: 101, length: 100 },
      ]),
    ).toEqual(['', '', 'retransmission spurious_retransmission']);
  });

  test('windows: full by the scale of the handshake, closed, probed, opened again', () => {
    expect(
      after([
        { atMs: 50, sequence: 101, acknowledgement: 501, window: 25 },
        { atMs: 51, server, sequence: 501, acknowledgement: 101, length: 100 },
        { atMs: 52, sequence: 101, acknowledgement: 601, window: 0 },
        { atMs: 300, server, sequence: 601, acknowledgement: 101, length: 1 },
        { atMs: 301, sequence: 101, acknowledgement: 601, window: 0 },
        { atMs: 400, sequence: 101, acknowledgement: 601, window: 500 },
      ]),
    ).toEqual([
      'window_update',
      'window_full',
      'zero_window',
      'zero_window_probe',
      'zero_window zero_window_probe_ack',
      'window_update',
    ]);
  });

  test('keep-alives and their answers are neither retransmissions nor duplicates', () => {
    expect(
      after([
        { atMs: 9000, sequence: 100, acknowledgement: 501 },
        { atMs: 9001, server, sequence: 501, acknowledgement: 101 },
        { atMs: 9002, server, sequence: 501, acknowledgement: 101 },
        { atMs: 18_000, sequence: 100, acknowledgement: 501, length: 1 },
      ]),
    ).toEqual(['keep_alive', 'keep_alive_ack', 'keep_alive_ack', 'keep_alive']);
  });

  test('an acknowledgement of what was never seen', () => {
    expect(after([{ atMs: 60, sequence: 101, acknowledgement: 900 }])).toEqual(['ack_lost_segment']);
  });

  test('a SYN with another number is another stream, with the same number the same; RST says nothing of holes', () => {
    const again: Step = { atMs: 90, sequence: 7000, flags: syn };
    const all = analyse([
      ...opened,
      { atMs: 80, sequence: 100, flags: syn },
      again,
      { atMs: 91, sequence: 9999, flags: rst },
    ]);
    expect(all.map(({ stream }) => stream)).toEqual([0, 0, 0, 0, 1, 1]);
    expect(all.slice(3).map(({ flags }) => wiresharkFlagNames(flags).join(' '))).toEqual([
      'retransmission',
      'reused_ports',
      '',
    ]);
  });

  test('a FIN counts as an octet, also when it comes again', () => {
    expect(
      after([
        { atMs: 50, sequence: 101, acknowledgement: 501, flags: fin | ack },
        { atMs: 300, sequence: 101, acknowledgement: 501, flags: fin | ack },
      ]),
    ).toEqual(['', 'retransmission']);
  });

  test('the clock that went back makes no fast and no reordered segment', () => {
    expect(
      after([
        { atMs: 50, server, sequence: 601, acknowledgement: 101, length: 100 },
        { atMs: 45, server, sequence: 501, acknowledgement: 101, length: 100 },
      ]),
    ).toEqual(['lost_segment', 'retransmission']);
  });

  test('fragments are analysed when the datagram is whole, in the frame that completes it', () => {
    const segment = make.tcp({ sequence: 5, from: 4000, to: 80 }, Buffer.alloc(3000));
    const piece = (from: number, to: number) =>
      make.ip4(
        { protocol: 6, id: 9, fragment: (from >>> 3) | (to < segment.length ? 0x2000 : 0) },
        segment.subarray(from, to),
      );
    const [a, b, c] = [piece(0, 1480), piece(1480, 2960), piece(2960, 3020)];
    for (const order of [
      [a, b, c],
      [c, a, b],
      [b, c, a],
    ]) {
      const all = analyseAll([
        ...order.map((octets, i) => [i, octets] as const),
        [9, octetsOf({ atMs: 9, sequence: 3005, acknowledgement: 1, window: 500 })],
      ]);
      expect(all.slice(0, 2)).toEqual([null, null]);
      expect(all[2]).toMatchObject({ stream: 0, flags: 0 });
      // Nothing is missing between the datagram and what follows it.
      expect(all[3]).toMatchObject({ stream: 0, flags: 0 });
    }
    const after6 = make.tcp({ sequence: 5 }, Buffer.alloc(2000));
    const piece6 = (from: number, to: number) =>
      make.ip6(
        { next: 44 },
        Buffer.concat([make.fragmentHeader(6, from, to < after6.length, 77), after6.subarray(from, to)]),
      );
    expect(
      analyseAll([
        [0, piece6(1000, 2020)],
        [1, piece6(0, 1000)],
      ]),
    ).toMatchObject([null, { stream: 0, flags: 0 }]);
  });

  test('what an error quotes has a number and nothing else; UDP and cut headers have none', () => {
    const quoted = make.ip4({ protocol: 1 }, make.icmpError(3, octetsOf({ atMs: 0, sequence: 9, length: 8 })));
    const datagram = make.ip4({ protocol: 17 }, make.udp(1, 2, noOctets));
    const all = analyseAll([
      [0, quoted],
      [1, datagram],
      [2, octetsOf({ atMs: 2, sequence: 1 }).subarray(0, 34)],
    ]);
    expect(all).toMatchObject([{ stream: 0, flags: 0 }, null, null]);
  });

  test('packets inside of sFlow take numbers of streams, and that is all', () => {
    const words = (...list: number[]) => {
      const out = Buffer.alloc(list.length * 4);
      for (const [i, word] of list.entries()) out.writeUInt32BE(word, i * 4);
      return out;
    };
    const record = (kind: number, octets: Buffer) => Buffer.concat([words(kind, octets.length), octets]);
    const sampled = make.ethernetFrame(
      0x0800,
      make.ip4({ protocol: 6, from: '10.9.9.9' }, make.tcp({}, Buffer.alloc(2))),
    );
    const head = record(1, Buffer.concat([words(1, 1500, 4, sampled.length), sampled]));
    const sample = record(1, Buffer.concat([words(1, 2, 3, 4, 5, 6, 7, 1), head]));
    const datagram = Buffer.concat([words(5, 1, 0, 0, 1, 1, 1), sample]);
    const around = make.ip4({ protocol: 17 }, make.udp(5000, 6343, datagram));
    const all = analyseAll([
      [0, around],
      [1, octetsOf({ atMs: 1, sequence: 1 })],
      [2, make.ip4({ protocol: 17 }, make.udp(5000, 6343, datagram.subarray(0, 60)))],
      [3, make.ip4({ protocol: 17 }, make.udp(5000, 53, datagram))],
    ]);
    expect(all).toMatchObject([{ stream: 0, flags: 0 }, { stream: 1, flags: 0 }, null, null]);
  });
});
