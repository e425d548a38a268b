import type { Packet } from '../../../wire/packet/packet.ts';
import { AckLog } from './ack-log.ts';
import type { Hole } from './hole.ts';
import { InOrder } from './in-order.ts';
import { FlowLabel } from './flow-label.ts';
import { IpIdCounter } from './ip-id.ts';
import { RoundTrip } from './round-trip.ts';
import { StampClock } from './stamp-clock.ts';
import type { Retransmission, Side } from './event.ts';

/** Sequence numbers further apart than this belong to no one connection (largest window: 1 GiB, RFC 7323). */
export const implausibleOctets = 2 ** 30;
/** Retransmissions that a late DSACK may still call spurious. */
const rememberedRetransmissions = 32;

/** A retransmission with what tells its first copy from further ones. */
interface Copy {
  event: Retransmission;
  /** Its first copy was stamped then at the latest: before the segment that opened the hole, or else before this one. 0: not known. */
  latestStamp: number;
  /** The number that its first copy lies below; -1: not known. */
  belowIpId: number;
}

/** What one end sent, as the tap saw it. Offsets count the octets of the stream, the first one after SYN being 0. */
export class Direction {
  readonly from: Side;
  /** As streams number them: 0 is the client's. */
  readonly index: 0 | 1;
  packets = 0;
  /** On the wire, by the lengths of IP. */
  payloadOctets = 0;
  /** Of packets that carry some. */
  dataPackets = 0;
  firstMs = Number.NaN;
  lastMs = Number.NaN;
  lastDataMs = Number.NaN;

  /** Whether sequence numbers are known. */
  started = false;
  /** Sequence number of offset 0. */
  first32 = 0;
  /** First octet that never was seen, and its sequence number. */
  next = 0;
  next32 = 0;
  holes: Hole[] = [];
  /** Stamps of the beginning, for what lies before it. */
  firstStamp = 0;
  firstIpId = -1;
  synMs = Number.NaN;
  finOffset = Number.NaN;
  reset = false;

  /** From options of SYN. */
  hasSyn = false;
  hasStamps = false;
  windowScale = -1;
  sackPermitted = false;
  mss = 0;
  /** Largest payload of one packet: above the MSS the card or the kernel had joined segments. */
  largestPayload = 0;
  smallestPayload = Number.POSITIVE_INFINITY;

  // What the other end says of this direction.
  acked = Number.NEGATIVE_INFINITY;
  /** The same before the packet that is looked at. */
  ackedBefore = Number.NEGATIVE_INFINITY;
  sackedTo = Number.NEGATIVE_INFINITY;
  duplicateAcks = 0;
  lastAckMs = Number.NaN;
  readonly acks = new AckLog();
  /** When the other end last told that it lacked something. */
  lackedMs = Number.NEGATIVE_INFINITY;

  /** Advertised by this end. */
  windowOctets = -1;
  windowRaw = -1;
  zeroWindowSinceMs = Number.NaN;

  readonly roundTrip = new RoundTrip();
  readonly ipId = new IpIdCounter();
  readonly flowLabel = new FlowLabel();
  readonly clock = new StampClock();
  /** Stamp of the newest data, and when that came. */
  lastDataStamp = 0;
  lastStampMs = Number.NaN;
  readonly inOrder: InOrder;

  /** Until here the sender is making good a timeout; retransmissions before it belong to that. */
  timeoutRecovery = Number.NEGATIVE_INFINITY;
  /** The last retransmission was a probe (RACK-TLP, RFC 8985); the next timer is a timeout. */
  probed = Number.NEGATIVE_INFINITY;
  recent: Copy[] = [];
  /** When something was sent again last. */
  lastResentMs = Number.NEGATIVE_INFINITY;

  /** Packets that the sender's counter misses and no hole accounts for. */
  untracedLosses = 0;

  retransmissions = 0;
  retransmittedSegments = 0;
  retransmittedOctets = 0;
  unseenOriginals = 0;
  spurious = 0;
  byTrigger = { fast: 0, rto: 0, tlp: 0, handshake: 0, unknown: 0 };
  reordered = 0;
  captureLossOctets = 0;
  captureLosses = 0;
  zeroWindows = 0;
  zeroWindowMs = 0;
  windowFull = 0;
  /** Small packets that went out only when a delayed acknowledgement came. */
  nagleWaits = 0;
  keepAlives = 0;
  windowProbes = 0;
  implausible = 0;
  /** ECN: marked by the network, and echoed by this end. */
  congestionMarks = 0;
  congestionEchoes = 0;

  /** Time before sending by what held it up. */
  readonly heldMs = { sender: 0, receiver: 0, network: 0, recovery: 0 };

  constructor(from: Side, inOrder: InOrder) {
    this.from = from;
    this.index = from === 'client' ? 0 : 1;
    this.inOrder = inOrder;
  }

  begin(sequence: number, offset: number): void {
    this.started = true;
    this.first32 = (sequence - offset) >>> 0;
    this.next = offset;
    this.next32 = sequence;
  }

  /** Offset of a sequence number, the one nearest to what comes next. */
  offsetOf(sequence: number): number {
    return this.next + ((sequence - this.next32) | 0);
  }

  advance(end: number): void {
    this.next32 = (this.next32 + (end - this.next)) >>> 0;
    this.next = end;
  }

  remember(event: Retransmission, hole: Hole | null, { tsVal, ipId }: Packet): void {
    this.recent.push({
      event,
      latestStamp: hole ? hole.openerStamp : tsVal - 1,
      belowIpId: hole ? hole.openerIpId : ipId,
    });
    if (this.recent.length > rememberedRetransmissions) this.recent.shift();
  }

  get outstanding(): number {
    return Number.isFinite(this.acked) ? Math.max(0, this.next - this.acked) : 0;
  }

  /** Payload of one packet on the wire, as far as it is known. */
  get segmentOctets(): number {
    if (this.mss > 0) return this.mss - (this.hasStamps ? 12 : 0);
    return 1448;
  }
}
