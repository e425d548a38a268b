/** Which end sent it. */
export type Side = 'client' | 'server';

/** How a conclusion was reached, strongest first. */
export type Signal =
  /** The tap saw the same octets before. */
  | 'range-seen'
  /** RFC 7323: it was stamped after the segment that opened the hole. */
  | 'timestamp'
  /** The sender's counter of IPv4 identifications stood higher, or lower, than when the hole was opened; or it skipped what never came. */
  | 'ip-id'
  /** IPv6: Linux draws a new flow label at each timeout. */
  | 'flow-label'
  /** The hole was open for longer, or shorter, than the sender needs to learn of it. */
  | 'hole-age'
  /** Nothing but the time, and no round trip to hold it against. */
  | 'none';

export type Confidence = 'high' | 'medium' | 'low';

/** What made the sender send again. */
export type Trigger = 'fast' | 'rto' | 'tlp' | 'handshake' | 'unknown';

interface Happening {
  timeMs: number;
  from: Side;
  /** Octets into the stream of that side. */
  offset: number;
  octets: number;
  frameNumber: number;
}

/** A segment that the sender sent again. */
export interface Retransmission extends Happening {
  kind: 'retransmission';
  trigger: Trigger;
  /** Whether the first copy passed the tap: where not, it was lost before it. */
  original: 'seen' | 'unseen';
  /** The receiver had it already; told by DSACK (RFC 3708) or by its acknowledgement. */
  spurious: boolean;
  signal: Signal;
  confidence: Confidence;
  /** Packets it makes on the wire. */
  segments: number;
  /** Since the hole was opened or, where the first copy was seen, since data last went that way. */
  waitedMs: number;
}

/** A segment that was overtaken on its way to the tap. */
export interface Reordering extends Happening {
  kind: 'reordering';
  signal: Signal;
  confidence: Confidence;
  waitedMs: number;
}

/** Octets that the receiver acknowledged and the tap never saw. */
export interface CaptureLoss extends Happening {
  kind: 'capture-loss';
}

/** The receiver's window was closed. */
export interface ZeroWindow extends Happening {
  kind: 'zero-window';
  endMs: number;
}

export type TcpEvent = Retransmission | Reordering | CaptureLoss | ZeroWindow;
