import { decodeDatagram, decodePacket } from '../../../wire/packet/decode.ts';
import { newPacket, type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import type { Frame } from '../../../wire/pcap/frame.ts';
import { Defragmenter } from './defragment.ts';
import { type WiresharkAnalysis, wiresharkFlag } from './flags.ts';
import { eachSampled } from './sampled.ts';
import { analyseSequence, initialRttNs, type Segment } from './sequence.ts';
import { type Direction, type Stream, windowScale } from './stream.ts';
import { Streams } from './streams.ts';

const tcpProtocol = 6;

/** Of a segment of which nothing is to be said. */
const nothing = {
  flags: 0,
  duplicateAckNumber: 0,
  duplicateAckFrame: 0,
  acksFrame: 0,
  ackRttNs: 0,
  rtoFrame: 0,
  rtoNs: 0,
  initialRttNs: 0,
};

/**
 * The analysis of Wireshark 4.0.17, segment by segment, with its default preferences: for those who have to compare. What inferpath
 * itself says of a segment is made elsewhere, from better evidence.
 */
export class WiresharkCompat {
  readonly #streams = new Streams();
  readonly #fragments = new Defragmenter();
  readonly #sampled = newPacket();
  readonly #segment: Segment = {
    frame: 0,
    sequence: 0,
    acknowledgement: 0,
    length: 0,
    flags: 0,
    window: 0,
    seconds: 0,
    nanoseconds: 0,
  };
  readonly #analysis: WiresharkAnalysis = { stream: 0, ...nothing };

  /**
   * Every packet of the capture, in its order. `packet` is what was decoded from `frame`; where it is the last fragment of a datagram,
   * it becomes the datagram.
   *
   * @param frameNumber of the capture, the first is 1
   * @returns null where Wireshark shows no TCP; the same object each time
   */
  analyse(frame: Frame, packet: Packet, frameNumber: number): WiresharkAnalysis | null {
    if (packet.fragment !== 0 && !packet.inError && packet.capturedEnd >= packet.packetEnd) {
      const datagram = this.#fragments.add(packet);
      if (datagram === null) return null;
      decodeDatagram(packet, datagram);
    }
    if (packet.version === 0 || packet.fragment === 2) return null;
    return packet.protocol === tcpProtocol
      ? this.#one(frame, packet, frameNumber)
      : this.#samples(frame, packet, frameNumber);
  }

  /** Packets inside of sFlow: like those that an error quotes, they have a number and are not analysed. The last one is shown. */
  #samples(frame: Frame, packet: Packet, frameNumber: number): WiresharkAnalysis | null {
    let last: WiresharkAnalysis | null = null;
    eachSampled(packet, (inner) => {
      if (!decodePacket(inner, this.#sampled) || this.#sampled.protocol !== tcpProtocol) return;
      this.#sampled.inError = true;
      last = this.#one(frame, this.#sampled, frameNumber) ?? last;
    });
    return last;
  }

  #one(frame: Frame, packet: Packet, frameNumber: number): WiresharkAnalysis | null {
    if (packet.fragment === 2) return null;
    // Everything up to the window is read before anything is done.
    if (packet.capturedEnd - packet.transportAt < 16) return null;
    this.#take(frame, packet, frameNumber);
    return this.#judge(packet);
  }

  #take({ seconds, nanoseconds }: Frame, packet: Packet, frameNumber: number): void {
    const segment = this.#segment;
    segment.frame = frameNumber;
    segment.seconds = seconds;
    segment.nanoseconds = nanoseconds;
    segment.sequence = packet.sequence;
    segment.acknowledgement = packet.acknowledgement;
    segment.flags = packet.flags;
    segment.window = packet.window;
    segment.length = packet.packetEnd - packet.transportAt - headerBytes(packet);
    Object.assign(this.#analysis, nothing);
  }

  #judge(packet: Packet): WiresharkAnalysis {
    const analysis = this.#analysis;
    const segment = this.#segment;
    const { flags } = segment;
    const stream = this.#streamOf(packet);
    const isOne = this.#streams.isForward;
    const forward = isOne ? stream.one : stream.two;
    const reverse = isOne ? stream.two : stream.one;
    analysis.stream = stream.number;
    // Of a fragment the length is not known, and what an error quotes was analysed when it passed.
    if (packet.fragment === 0 && !packet.inError && segment.length >= 0)
      analyseSequence(stream, forward, reverse, segment, analysis);
    if (headerBytes(packet) < 20) return clear(analysis);
    handshake(stream, forward, segment);
    if (!optionsAreThere(packet, (segment.acknowledgement - reverse.baseSequence) | 0)) return clear(analysis);
    if (flags & tcpFlag.syn) setScale(forward, reverse, packet);
    analysis.initialRttNs = initialRttNs(stream);
    return analysis;
  }

  /** A SYN with another number opens a new stream; with the same number, what was seen beyond a hole is forgotten. */
  #streamOf(packet: Packet): Stream {
    const { flags, sequence } = this.#segment;
    const stream = this.#streams.of(packet);
    const forward = this.#streams.isForward ? stream.one : stream.two;
    if (!(flags & tcpFlag.syn) || !forward.hasBase) return stream;
    if (forward.baseSequence === sequence) {
      if (!(flags & tcpFlag.ack)) forward.nextSequence = forward.maxToBeAcked;
      return stream;
    }
    this.#analysis.flags |= wiresharkFlag.reused_ports;
    if (!(flags & tcpFlag.ack)) return this.#streams.replace(packet);
    forward.baseSequence = sequence;
    return stream;
  }
}

/** What was concluded is not shown where the rest of the header is missing; it counts all the same. */
const clear = (analysis: WiresharkAnalysis): WiresharkAnalysis => Object.assign(analysis, nothing);

const headerBytes = ({ bytes, transportAt }: Packet): number => (bytes[transportAt + 12]! >>> 4) * 4;

function handshake(stream: Stream, forward: Direction, { flags, seconds, nanoseconds }: Segment): void {
  const kind = flags & (tcpFlag.syn | tcpFlag.ack);
  if (flags & tcpFlag.syn) forward.isFirstAck = true;
  if (kind === tcpFlag.syn) {
    stream.synSeconds = seconds;
    stream.synNanoseconds = nanoseconds;
  }
  if (kind !== tcpFlag.ack) return;
  const hasSyn = stream.synSeconds !== 0 || stream.synNanoseconds !== 0;
  if (hasSyn && initialRttNs(stream) === 0) {
    stream.initialSeconds = seconds - stream.synSeconds;
    stream.initialNanoseconds = nanoseconds - stream.synNanoseconds;
  }
  forward.isFirstAck = false;
}

/**
 * Options of which a part is missing end the dissection before the analysis is shown: not captured, or, of a SACK that is too short
 * for one block, looked for when the number acknowledged (from the first octet on) makes the block one of duplicates.
 */
function optionsAreThere(packet: Packet, acknowledged: number): boolean {
  const { bytes, transportAt, capturedEnd } = packet;
  if (capturedEnd - transportAt < 20) return false;
  const end = transportAt + headerBytes(packet);
  for (let at = transportAt + 20; at < end;) {
    if (at >= capturedEnd) return false;
    const kind = bytes[at]!;
    if (kind === 0) return true;
    if (kind === 1) {
      at++;
      continue;
    }
    if (at + 1 >= end) return true;
    if (at + 1 >= capturedEnd) return false;
    const length = bytes[at + 1]!;
    if (length < 2) return true;
    // Of one that is longer than the header all up to the end of the header is shown.
    if (at + length > end) return end <= capturedEnd;
    if (at + length > capturedEnd || (kind === 5 && length < 10 && acknowledged > 0)) return false;
    at += length;
  }
  return true;
}

/** RFC 7323: scaled only where both SYNs have the option. */
function setScale(forward: Direction, reverse: Direction, packet: Packet): void {
  if (packet.windowScale >= 0) forward.scale = packet.windowScale;
  if (forward.scale === windowScale.unknown) {
    forward.scale = windowScale.unused;
    reverse.scale = windowScale.unused;
  } else if (packet.flags & tcpFlag.ack && reverse.scale === windowScale.unused) forward.scale = windowScale.unused;
}
