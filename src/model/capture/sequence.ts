import type { JudgedStall } from './judged.ts';

/** One packet with data of the server, in a picture of sequence numbers against time. */
export interface SequenceMark {
  /** Since the first packet of the capture. */
  ms: number;
  /** Octets into the stream of the server. */
  offset: number;
  octets: number;
  /** again: its first copy had passed the tap; again-unseen: it had not. */
  kind: 'first' | 'again' | 'again-unseen' | 'needless' | 'overtaken';
}

/** One answer, or the worst part of it. Positions in the stream and times; no content. */
export interface SequenceTrail {
  /** Number of the conversation. */
  flow: number;
  fromMs: number;
  toMs: number;
  marks: SequenceMark[];
  acknowledged: { ms: number; offset: number }[];
  stalls: readonly JudgedStall[];
  /** Packets beyond those that a picture holds. */
  leftOut: number;
}
