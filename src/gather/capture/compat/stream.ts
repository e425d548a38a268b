import { Unacked } from './unacked.ts';

/** Scale of the window: what a SYN said, or one of these. */
export const windowScale = { unknown: -1, unused: -2 } as const;

/** What Wireshark keeps of one direction of a stream. Sequence numbers are 0 as long as they are not known. */
export interface Direction {
  hasBase: boolean;
  baseSequence: number;
  /** Highest sequence number behind a segment, and the segment that brought it. */
  nextSequence: number;
  nextFrame: number;
  nextSeconds: number;
  nextNanoseconds: number;
  /** Highest one without a hole before it. */
  maxToBeAcked: number;
  lastAck: number;
  /** Of the last segment of this direction, whatever it was. */
  lastSeconds: number;
  lastNanoseconds: number;
  lastFlags: number;
  duplicateAcks: number;
  /** The segment whose acknowledgement the duplicates repeat. */
  firstAckFrame: number;
  /** As it stands in the header. */
  window: number;
  scale: number;
  /** Between a SYN and the first acknowledgement behind it: windows are not scaled there. */
  isFirstAck: boolean;
  readonly unacked: Unacked;
}

export interface Stream {
  readonly number: number;
  /** The direction from the greater to the smaller end, and the other. */
  readonly one: Direction;
  readonly two: Direction;
  synSeconds: number;
  synNanoseconds: number;
  /** SYN to first acknowledgement. */
  initialSeconds: number;
  initialNanoseconds: number;
}

function newDirection(): Direction {
  return {
    hasBase: false,
    baseSequence: 0,
    nextSequence: 0,
    nextFrame: 0,
    nextSeconds: 0,
    nextNanoseconds: 0,
    maxToBeAcked: 0,
    lastAck: 0,
    lastSeconds: 0,
    lastNanoseconds: 0,
    lastFlags: 0,
    duplicateAcks: 0,
    firstAckFrame: 0,
    window: 0xffff_ffff,
    scale: windowScale.unknown,
    isFirstAck: false,
    unacked: new Unacked(),
  };
}

export function newStream(number: number): Stream {
  return {
    number,
    one: newDirection(),
    two: newDirection(),
    synSeconds: 0,
    synNanoseconds: 0,
    initialSeconds: 0,
    initialNanoseconds: 0,
  };
}
