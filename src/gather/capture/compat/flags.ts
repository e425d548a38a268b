/**
 * What Wireshark 4.0 says of a segment, by the names of its fields `tcp.analysis.*`. `retransmission` is also set where the segment is
 * a fast or a spurious one, as the field is.
 */
export const wiresharkFlag = {
  retransmission: 0x0001,
  fast_retransmission: 0x0002,
  spurious_retransmission: 0x0004,
  out_of_order: 0x0008,
  lost_segment: 0x0010,
  ack_lost_segment: 0x0020,
  window_update: 0x0040,
  window_full: 0x0080,
  keep_alive: 0x0100,
  keep_alive_ack: 0x0200,
  duplicate_ack: 0x0400,
  zero_window_probe: 0x0800,
  zero_window: 0x1000,
  zero_window_probe_ack: 0x2000,
  reused_ports: 0x4000,
} as const;

export type WiresharkFlag = keyof typeof wiresharkFlag;

/** The names of the bits, in the order above. */
export function wiresharkFlagNames(bits: number): WiresharkFlag[] {
  return (Object.keys(wiresharkFlag) as WiresharkFlag[]).filter((name) => bits & wiresharkFlag[name]);
}

/** One TCP segment as Wireshark numbers and judges it. One object, filled again and again. */
export interface WiresharkAnalysis {
  /** tcp.stream */
  stream: number;
  /** Bits of `wiresharkFlag`. */
  flags: number;
  /** tcp.analysis.duplicate_ack_num and _frame; 0 where it is none. */
  duplicateAckNumber: number;
  duplicateAckFrame: number;
  /** tcp.analysis.acks_frame and ack_rtt; 0 where it acknowledges nothing. */
  acksFrame: number;
  ackRttNs: number;
  /** tcp.analysis.rto_frame and rto; 0 where it is no plain retransmission. */
  rtoFrame: number;
  rtoNs: number;
  /** tcp.analysis.initial_rtt; 0 while it is not known. Fields of the analysis are shown only where there is any. */
  initialRttNs: number;
}
