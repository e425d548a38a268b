import * as make from '../../src/wire/packet/frames.case.ts';
import { classicFile, type Written } from '../../src/wire/pcap/write.case.ts';

type Random = (below: number) => number;

function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface End {
  next: number;
  acked: number;
  window: number;
  address: string;
  port: number;
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;

/** Mostly what TCP would send next, often something near to it, seldom anything. */
function segment(random: Random, from: End, to: End): { shape: make.Tcp; length: number } {
  const near = (value: number) => (value + pick(random, [0, 0, 0, 0, 0, 0, -1, -1, 1, -10, 10, -100, 100, 1000])) >>> 0;
  const length = pick(random, [0, 0, 0, 1, 1, 10, 10, 100, 100, 1000]);
  if (random(6) === 0) from.window = pick(random, [0, 0, 1, 10, 100, 200, 65_535]);
  if (random(3) !== 0) from.acked = to.next;
  const flags = pick(random, [16, 16, 16, 16, 16, 16, 24, 24, 17, 1, 4, 20, 2, 18, 0, 48, 0x1d0, 0xc2]);
  const isOdd = random(200) === 0;
  const sequence = flags & 2 && random(2) === 0 ? (from.next - 1) >>> 0 : near(from.next);
  const options =
    flags & 2 && random(2) === 0
      ? make.windowScaleOption(random(15))
      : random(9) === 0
        ? make.timestampsOption(random(99), 5)
        : undefined;
  const shape: make.Tcp = {
    from: from.port,
    to: to.port,
    sequence: isOdd ? random(2 ** 32) : sequence,
    acknowledgement: random(12) === 0 ? near(from.acked) : random(60) === 0 ? 0 : from.acked,
    flags,
    window: from.window,
    ...(options ? { options } : {}),
  };
  const end = (sequence + length + (flags & 3 ? 1 : 0)) >>> 0;
  if (((end - from.next) | 0) > 0 && random(10) > 0) from.next = end;
  return { shape, length };
}

/** A capture of a dozen conversations in one another, some around the wrap of the sequence numbers and some of 0. */
export function conversations(seed: number, count = 3000): Buffer {
  const random = mulberry32(seed);
  const pairs = Array.from({ length: 12 }, (_, i): [End, End] => {
    const start = () => pick(random, [0, 1, 1000, 2 ** 32 - 50, 2 ** 32 - 3000, 2 ** 31 - 100, random(2 ** 32)]);
    const end = (address: string, port: number): End => ({ next: start(), acked: 0, window: 1000, address, port });
    return [end(`10.0.0.${1 + (i % 3)}`, 1000 + i), end(pick(random, ['10.0.0.1', '10.0.0.9', '9.0.0.1']), 80)];
  });
  let [seconds, nanoseconds] = [1_700_000_000, 0];
  const packets: Written[] = [];
  for (let i = 0; i < count; i++) {
    const pair = pick(random, pairs);
    const [from, to] = random(2) === 0 ? pair : [pair[1], pair[0]];
    const { shape, length } = segment(random, from, to);
    nanoseconds += pick(
      random,
      [0, 1000, 100_000, 1_000_000, 2_999_000, 5_000_000, 19_999_000, 20_000_000, 300_000_000],
    );
    if (random(300) === 0) nanoseconds -= 50_000_000;
    seconds += Math.floor(nanoseconds / 1e9);
    nanoseconds = ((nanoseconds % 1e9) + 1e9) % 1e9;
    const octets = make.ip4({ protocol: 6, from: from.address, to: to.address }, make.tcp(shape, Buffer.alloc(length)));
    const cut = random(60) === 0 ? random(octets.length) : octets.length;
    packets.push({ bytes: octets.subarray(0, cut), more: octets.length - cut, seconds, nanoseconds });
  }
  return classicFile(packets, { little: true, nano: true, modified: false, link: 101 });
}
