import type { Frame } from '../../src/wire/pcap/frame.ts';

export interface PacketSum {
  frames: number;
  octets: number;
  /** Of lengths and octets. */
  content: number;
  /** Of lengths, octets and times. */
  all: number;
  /** Mean of the times, seconds since the epoch. */
  meanSeconds: number;
}

/** Sums over packets of a hash of each (FNV-1a), the same in any order: two taps may see processors in different orders. */
export function packetSum(): { add(frame: Frame): void; result(): PacketSum } {
  const sum = { frames: 0, octets: 0, content: 0, all: 0, firstSeconds: 0, seconds: 0 };
  const add = (frame: Frame): void => {
    let hash = 0x811c9dc5;
    const mix = (value: number) => {
      hash = Math.imul(hash ^ value, 0x01000193);
    };
    mix(frame.originalLength);
    for (let at = frame.start; at < frame.end; at++) mix(frame.bytes[at]!);
    sum.content = (sum.content + (hash >>> 0)) % 2 ** 48;
    mix(frame.seconds);
    mix(frame.nanoseconds);
    sum.all = (sum.all + (hash >>> 0)) % 2 ** 48;
    if (sum.frames === 0) sum.firstSeconds = frame.seconds;
    sum.seconds += frame.seconds - sum.firstSeconds + frame.nanoseconds / 1e9;
    sum.frames += 1;
    sum.octets += frame.originalLength;
  };
  const result = (): PacketSum => {
    const { frames, octets, content, all, firstSeconds, seconds } = sum;
    return { frames, octets, content, all, meanSeconds: firstSeconds + seconds / frames };
  };
  return { add, result };
}
