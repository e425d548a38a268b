import { type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import { seededRandom } from '../../../stats/random.ts';
import { base, type Ends, firstOf, handshake, segmentOctets, type Tapped } from './simulated.case.ts';

/** Questions and answers over one connection, and what becomes of them before the tap, which is at the client. */
export interface Talk extends Ends {
  seed: number;
  answers: number;
  /** Chunks of an answer, one segment each. */
  chunks: number;
  everyMs: number;
  /** Least and most time that the server thinks before an answer; now and then it stops so long in the middle of one, too. */
  thinkMs: readonly [least: number, most: number];
  /** Shares of all that the server sends, bare acknowledgements too, that are lost, and that are late by so much. */
  loss: number;
  late: number;
  lateMs: number;
  /** What the server's host puts into the IP header: a counter (IPv4), or a flow label that it changes at a timeout (IPv6). */
  marks: 'counter' | 'label' | 'none';
}

interface Sending {
  timeMs: number;
  /** Of the whole stream; -1: a bare acknowledgement. */
  index: number;
  again: boolean;
  timeout: boolean;
  lost: boolean;
  lateMs: number;
  /** Requests that it acknowledges. */
  asked: number;
}

const requestOctets = 200;
/** Of Linux: added to a round trip. */
const timerMs = 205;
const stopShare = 0.05;

/**
 * The server acknowledges each request at once, thinks, and answers. What is lost goes again as by RACK-TLP (RFC 8985): as soon as
 * something that was sent later is acknowledged; the last one as a probe, and what comes next by the timer. What is overtaken for long
 * goes again for nothing.
 */
export function talk(of: Talk): Tapped[] {
  const draw = seededRandom(of.seed);
  const seen = handshake(of);
  const marks: Marks = { number: 0, label: 1 };
  // Linux answers a SYN with 0, and counts from there on.
  mark(seen[1]!.packet, of, marks);
  const roundTripMs = 2 * (of.toClientMs + of.toServerMs);
  let askMs = 2 * roundTripMs;
  for (let answer = 0; answer < of.answers; answer++) {
    const heardMs = askMs + of.toClientMs + of.toServerMs;
    seen.push(request(of, answer, askMs + of.toClientMs));
    const heard = tapped(of, answer, answerOf(of, answer, heardMs, roundTripMs, draw), marks);
    seen.push(...heard);
    askMs = Math.max(...heard.map(({ timeMs }) => timeMs)) + of.toClientMs + 100 * draw();
  }
  return seen.sort((a, b) => a.timeMs - b.timeMs);
}

function answerOf(of: Talk, answer: number, heardMs: number, roundTripMs: number, draw: () => number): Sending[] {
  const sending = (timeMs: number, index: number, again: boolean, timeout = false): Sending => ({
    timeMs,
    index,
    again,
    timeout,
    lost: draw() < of.loss,
    lateMs: draw() < of.late ? of.lateMs : 0,
    asked: answer + 1,
  });
  const [least, most] = of.thinkMs;
  const think = () => least + (most - least) * draw();
  const coming: number[] = [];
  for (
    let i = 0, timeMs = heardMs + think();
    i < of.chunks;
    i++, timeMs += of.everyMs + (draw() < stopShare ? think() : 0)
  )
    coming.push(timeMs);
  return [sending(heardMs, -1, false), ...repaired(coming, answer * of.chunks, roundTripMs, sending)];
}

/** Sends chunks at their times, and again what is lost, until all are acknowledged. */
function repaired(
  coming: readonly number[],
  first: number,
  roundTripMs: number,
  sending: (timeMs: number, index: number, again: boolean, timeout?: boolean) => Sending,
): Sending[] {
  const sent: Sending[] = [];
  const acked = new Set<number>();
  /** Last copy of what is in flight. */
  const open = new Map<number, Sending>();
  let [timerAtMs, probed, tries] = [Number.POSITIVE_INFINITY, false, 0];
  const acks: { atMs: number; of: Sending }[] = [];
  const resend: { atMs: number; index: number }[] = [];
  const send = (one: Sending) => {
    sent.push(one);
    open.set(one.index, one);
    if (!one.lost) acks.push({ atMs: one.timeMs + one.lateMs + roundTripMs, of: one });
    arm(one.timeMs);
  };
  const arm = (nowMs: number) => {
    const probe = !probed && open.size > 1 ? 2.1 * roundTripMs : roundTripMs + timerMs;
    timerAtMs = open.size > 0 ? nowMs + probe * (tries + 1) : Number.POSITIVE_INFINITY;
  };
  for (let next = 0; next < coming.length || open.size > 0;) {
    const ack = acks.toSorted((a, b) => a.atMs - b.atMs)[0];
    const due = resend.toSorted((a, b) => a.atMs - b.atMs)[0];
    const nowMs = Math.min(coming[next] ?? Number.POSITIVE_INFINITY, ack?.atMs ?? 1e12, due?.atMs ?? 1e12, timerAtMs);
    if (nowMs === coming[next]) send(sending(nowMs, first + next++, false));
    else if (ack && nowMs === ack.atMs) {
      acks.splice(acks.indexOf(ack), 1);
      acked.add(ack.of.index);
      open.delete(ack.of.index);
      [probed, tries] = [false, 0];
      // RACK: what was sent before it and is not there yet is lost, after a quarter of a round trip of patience.
      for (const [index, one] of open)
        if (one.timeMs < ack.of.timeMs && !resend.some((other) => other.index === index))
          resend.push({ atMs: Math.max(nowMs, one.timeMs + 1.25 * roundTripMs), index });
      arm(nowMs);
    } else if (due && nowMs === due.atMs) {
      resend.splice(resend.indexOf(due), 1);
      if (open.has(due.index)) send(sending(nowMs, due.index, true));
    } else {
      const index = probed ? Math.min(...open.keys()) : Math.max(...open.keys());
      const timeout = probed;
      [probed, tries] = [true, tries + (probed ? 1 : 0)];
      send(sending(nowMs, index, true, timeout));
    }
  }
  return sent;
}

/** What of it passes the tap, and what the client says to it. */
function tapped(of: Talk, answer: number, all: readonly Sending[], marks: Marks): Tapped[] {
  const seen: Tapped[] = [];
  const arrivals: { atMs: number; index: number }[] = [];
  for (const one of all.toSorted((a, b) => a.timeMs - b.timeMs)) {
    marks.number += 1;
    if (one.timeout) marks.label += 1;
    if (one.lost) continue;
    const atMs = one.timeMs + of.toServerMs + one.lateMs;
    const packet = serverPacket(of, one, one.index < 0 ? answer * of.chunks : one.index, marks);
    seen.push({ timeMs: atMs, fromClient: false, again: one.again, packet });
    if (one.index >= 0) arrivals.push({ atMs: atMs + of.toClientMs, index: one.index });
  }
  return [...seen, ...acknowledgements(of, answer, arrivals)];
}

/** Where the counter and the label of the server stand. */
interface Marks {
  number: number;
  label: number;
}

function serverPacket(of: Talk, { timeMs, index, asked }: Sending, next: number, marks: Marks): Packet {
  const packet = base(of, timeMs);
  packet.sequence = (firstOf.server + next * segmentOctets) >>> 0;
  packet.acknowledgement = firstOf.client + asked * requestOctets;
  packet.flags = tcpFlag.ack;
  packet.payloadBytes = index < 0 ? 0 : segmentOctets;
  packet.capturedBytes = packet.payloadBytes;
  mark(packet, of, marks);
  return packet;
}

function mark(packet: Packet, of: Talk, { number, label }: Marks): void {
  if (of.marks === 'counter') packet.ipId = number;
  if (of.marks !== 'label') return;
  packet.version = 6;
  packet.sourceAt = 8;
  packet.bytes.writeUInt32BE(0x6000_0000 + label, 0);
}

function request(of: Talk, answer: number, timeMs: number): Tapped {
  const packet = base(of, timeMs);
  packet.sequence = firstOf.client + answer * requestOctets;
  packet.acknowledgement = (firstOf.server + answer * of.chunks * segmentOctets) >>> 0;
  packet.flags = tcpFlag.ack | tcpFlag.psh;
  packet.payloadBytes = requestOctets;
  packet.capturedBytes = requestOctets;
  return { timeMs, fromClient: true, again: false, packet };
}

/** Each arrival is acknowledged with all that there is without a hole, and the first piece beyond one. */
function acknowledgements(of: Talk, answer: number, arrivals: readonly { atMs: number; index: number }[]): Tapped[] {
  const have = new Set<number>();
  let next = answer * of.chunks;
  return arrivals
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, index }) => {
      have.add(index);
      while (have.has(next)) next++;
      const packet = base(of, atMs);
      packet.sequence = firstOf.client + (answer + 1) * requestOctets;
      packet.acknowledgement = (firstOf.server + next * segmentOctets) >>> 0;
      packet.flags = tcpFlag.ack;
      packet.payloadBytes = 0;
      const above = Math.min(...[...have].filter((one) => one > next));
      if (Number.isFinite(above)) {
        packet.sackBlocks = 1;
        packet.sack[0] = (firstOf.server + above * segmentOctets) >>> 0;
        packet.sack[1] = (packet.sack[0] + segmentOctets) >>> 0;
      }
      return { timeMs: atMs + of.toClientMs, fromClient: true, again: false, packet };
    });
}
