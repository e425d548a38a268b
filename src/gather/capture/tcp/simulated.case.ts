import { newPacket, type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import { seededRandom } from '../../../stats/random.ts';

/** A packet at the tap with what is true of it: a simulation, in which everything is known. */
export interface Tapped {
  timeMs: number;
  fromClient: boolean;
  packet: Packet;
  /** Of data: whether it is a second copy, and whether the tap saw an earlier one. */
  again: boolean;
}

export interface Path {
  seed: number;
  /** Chunks, one segment each. */
  chunks: number;
  everyMs: number;
  /** One way, tap to client and tap to server. */
  toClientMs: number;
  toServerMs: number;
  /** Shares of the server's packets that are lost before and behind the tap, and that are late by so much before it. */
  lossBefore: number;
  lossBehind: number;
  late: number;
  lateMs: number;
  timestamps: boolean;
  /** Whether the server counts its packets in the IPv4 header. */
  counts: boolean;
}

export const segmentOctets = 100;
/** Sequence numbers of the first octet of each side. */
export const firstOf = { client: 500, server: 0xffff_f000 };

/**
 * A server that streams chunks to a client, with a simple TCP of its own: it sends again a segment that the client lacks when three later
 * ones have arrived (after the round trip that this takes), and after 300 ms in any case.
 */
export function simulate(path: Path): Tapped[] {
  const draw = seededRandom(path.seed);
  const seen: Tapped[] = handshake(path);

  const roundTripMs = 2 * (path.toClientMs + path.toServerMs);
  const sent: { timeMs: number; index: number; again: boolean }[] = [];
  for (let index = 0; index < path.chunks; index++)
    sent.push({ timeMs: 1000 + index * path.everyMs, index, again: false });
  const passed = new Set<number>();
  const delivered = new Map<number, number>();
  let ipId = 1;
  for (let i = 0; i < sent.length; i++) {
    sent.sort((a, b) => a.timeMs - b.timeMs);
    const { timeMs, index, again } = sent[i]!;
    const id = ipId++;
    const lostBefore = draw() < path.lossBefore;
    const lostBehind = draw() < path.lossBehind;
    const lateMs = draw() < path.late ? path.lateMs : 0;
    const tapMs = timeMs + path.toServerMs + lateMs;
    if (!lostBefore) {
      seen.push({ timeMs: tapMs, fromClient: false, again, packet: dataPacket(path, index, timeMs, id) });
      passed.add(index);
    }
    if (lostBefore || lostBehind) {
      // Three later chunks, or the timer, whichever is first; the last ones have only the timer.
      const fastMs = index + 3 < path.chunks ? 3 * path.everyMs + roundTripMs : Number.POSITIVE_INFINITY;
      sent.push({
        timeMs: timeMs + Math.min(300 + roundTripMs, Math.max(fastMs, roundTripMs + 1)),
        index,
        again: true,
      });
    } else delivered.set(index, tapMs + path.toClientMs);
  }
  acknowledge(path, delivered, seen);
  return seen.sort((a, b) => a.timeMs - b.timeMs);
}

/** What two ends say to begin with, and the way between them. */
export type Ends = Pick<Path, 'toClientMs' | 'toServerMs' | 'timestamps'>;

export function handshake(path: Ends): Tapped[] {
  const { toClientMs, toServerMs } = path;
  const step = (
    timeMs: number,
    fromClient: boolean,
    sequence: number,
    flags: number,
    acknowledgement: number,
  ): Tapped => {
    const packet = base(path, timeMs);
    Object.assign(packet, {
      sequence,
      flags,
      acknowledgement,
      payloadBytes: 0,
      sackPermitted: true,
      mss: segmentOctets + 12,
    });
    return { timeMs, fromClient, packet, again: false };
  };
  const { syn, ack } = tcpFlag;
  return [
    step(toClientMs, true, 499, syn, 0),
    step(toClientMs + 2 * toServerMs, false, 0xffff_efff, syn | ack, 500),
    step(3 * toClientMs + 2 * toServerMs, true, 500, ack, 0xffff_f000),
  ];
}

/** The client acknowledges each arrival with all that it has without a hole. */
function acknowledge(path: Path, delivered: Map<number, number>, seen: Tapped[]): void {
  const inTime = [...delivered].sort((a, b) => a[1] - b[1]);
  const have = new Set<number>();
  let next = 0;
  for (const [index, atMs] of inTime) {
    have.add(index);
    while (have.has(next)) next++;
    seen.push({
      timeMs: atMs + path.toClientMs,
      fromClient: true,
      again: false,
      packet: ackPacket(path, next, atMs, have, next),
    });
  }
}

function dataPacket(path: Path, index: number, timeMs: number, id: number): Packet {
  const packet = base(path, timeMs);
  packet.sequence = (0xffff_f000 + index * segmentOctets) >>> 0;
  packet.acknowledgement = 500;
  packet.payloadBytes = segmentOctets;
  packet.capturedBytes = segmentOctets;
  packet.ipId = path.counts ? id : -1;
  packet.flags = tcpFlag.ack | tcpFlag.psh;
  return packet;
}

function ackPacket(path: Path, next: number, timeMs: number, have: ReadonlySet<number>, from: number): Packet {
  const packet = base(path, timeMs);
  packet.sequence = 500;
  packet.acknowledgement = (0xffff_f000 + next * segmentOctets) >>> 0;
  packet.payloadBytes = 0;
  packet.flags = tcpFlag.ack;
  const above = [...have].filter((index) => index > from);
  if (above.length > 0) {
    packet.sackBlocks = 1;
    packet.sack[0] = (0xffff_f000 + Math.min(...above) * segmentOctets) >>> 0;
    packet.sack[1] = (packet.sack[0] + segmentOctets) >>> 0;
  }
  return packet;
}

export function base(path: Pick<Path, 'timestamps'>, timeMs: number): Packet {
  const packet = newPacket();
  packet.bytes = Buffer.alloc(segmentOctets);
  packet.version = 4;
  packet.protocol = 6;
  packet.window = 500;
  packet.payloadAt = 0;
  packet.hasTimestamps = path.timestamps;
  packet.tsVal = path.timestamps ? Math.floor(timeMs) + 77 : 0;
  return packet;
}
