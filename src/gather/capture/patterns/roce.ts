import type { RoceQp, RoceReport } from '../../../model/capture/roce.ts';
import type { Packet } from '../../../wire/packet/packet.ts';
import {
  cnpOpcode,
  endsMessage,
  isRequest,
  nakOf,
  type NakKind,
  newRoceHeader,
  operation,
  psnDistance,
  readRoce,
  roceService,
} from '../../../wire/roce.ts';
import { formatIPv4, formatIPv6 } from '../../../wire/sockaddr.ts';
import { bucketQuantile, bucketsFor, halfOctave } from './log-buckets.ts';
import { PsnSequence } from './psn-sequence.ts';
import { putAddress, WordIndex } from '../word-index.ts';

/** Queue pairs (in one direction) that are kept; a busy GPU server has some thousands. */
const mostQps = 8192;
const mostListed = 200;
/** How far behind the newest request an acknowledgement of it may be. */
const ackWindowPsns = 32_768;
/** Acknowledgements that have to point to the same queue pair before it is believed. */
const votesNeeded = 3;
/** Queue pairs between two hosts that are compared for one acknowledgement, and acknowledgements that are tried. */
const mostCandidates = 256;
const mostSearches = 64;
const sizeBuckets = bucketsFor(31);
const congestionExperienced = 3;

const services = ['rc', 'uc', 'rd', 'ud', 'rc', 'xrc'] as const;

/** Packets from one address to one queue pair of another. */
interface Direction {
  number: number;
  service: (typeof services)[number];
  firstMs: number;
  lastMs: number;
  packets: number;
  payloadBytes: number;
  sends: number;
  writes: number;
  reads: number;
  atomics: number;
  sizes: Uint32Array;
  sequence: PsnSequence;
  /** Path MTU, as packets in the middle of a message show it; 0 unknown. */
  mtu: number;
  /** Responses to READ that came this way. */
  responses: number;
  responseGaps: number;
  responseMissing: number;
  responsePsn: number;
  responseMtu: number;
  /** What came this way about requests of the other. */
  acks: number;
  naks: Map<NakKind, number>;
  cnps: number;
  ce: number;
  ecnCapable: number;
  /** The direction whose requests are acknowledged here, and on how much evidence. */
  partner: Direction | null;
  votes: number;
  /** The direction that answers this one, as far as it was found. */
  answer: Direction | null;
  searches: number;
  /** An acknowledgement that was asked for and has not come; -1 none. */
  askedPsn: number;
  askedMs: number;
  ackMinMs: number;
  /** Next direction between the same two hosts; -1 none. */
  nextOfHosts: number;
}

/**
 * RoCEv2 per queue pair: packets are looked at once, in the order of the capture. Acknowledgements do not name the queue pair that they
 * come from; which one they are for is found by their sequence numbers, which begin at random places of 2²⁴.
 */
export class RoceTable {
  readonly #index: WordIndex;
  readonly #directions: Direction[] = [];
  /** First direction between two hosts. */
  readonly #hosts: WordIndex;
  readonly #heads: number[] = [];
  readonly #header = newRoceHeader();
  #tap = 1;
  #packets = 0;
  #notRead = 0;
  #cnps = 0;
  #further = 0;

  constructor({ most = mostQps, seed = 0 }: { most?: number; seed?: number } = {}) {
    this.#index = new WordIndex(10, most, seed);
    this.#hosts = new WordIndex(9, most, seed);
  }

  /** Takes a UDP packet whose destination port is that of RoCEv2. @param tap queue pairs of each are looked at by themselves */
  add(packet: Packet, timeMs: number, tap = 1): void {
    this.#packets++;
    const { bytes, payloadAt } = packet;
    const header = this.#header;
    const end = payloadAt + packet.capturedBytes;
    if (packet.fragment !== 0 || !readRoce(bytes, payloadAt, end, packet.payloadBytes, header)) {
      this.#notRead++;
      return;
    }
    this.#tap = tap;
    const direction = this.#direction(packet, timeMs);
    if (!direction) {
      this.#further++;
      return;
    }
    direction.lastMs = Math.max(direction.lastMs, timeMs);
    direction.packets++;
    if (packet.ecn === congestionExperienced) direction.ce++;
    if (packet.ecn !== 0) direction.ecnCapable++;
    if (header.opcode === cnpOpcode) {
      this.#cnps++;
      direction.cnps++;
      return;
    }
    direction.service = services[header.opcode >> 5]!;
    direction.payloadBytes += header.payloadBytes;
    const what = header.opcode & 0x1f;
    if (isRequest(what)) this.#request(direction, what, timeMs);
    else if (what <= operation.readResponseOnly) this.#response(direction, what, packet, timeMs);
    else this.#acknowledge(direction, packet, timeMs);
  }

  #direction(packet: Packet, timeMs: number): Direction | null {
    const { key } = this.#index;
    putAddress(key, 0, packet.bytes, packet.sourceAt, packet.version);
    putAddress(key, 4, packet.bytes, packet.destinationAt, packet.version);
    key[8] = this.#header.destinationQp;
    key[9] = this.#networkOf(packet);
    const number = this.#index.add();
    if (number < 0) return null;
    return this.#directions[number] ?? this.#begin(number, timeMs);
  }

  /** What tells hosts apart beside their addresses. */
  #networkOf({ tunnel }: Packet): number {
    return tunnel ^ Math.imul(this.#tap - 1, 0x9e37_79b1);
  }

  #begin(number: number, timeMs: number): Direction {
    const host = this.#hostsOf(this.#index.key, false);
    const made = newDirection(number, timeMs, this.#heads[host] ?? -1);
    this.#directions.push(made);
    this.#heads[host] = number;
    return made;
  }

  /** Number of a pair of hosts, of `key` or of its way back. */
  #hostsOf(key: Uint32Array, isBack: boolean): number {
    const hosts = this.#hosts.key;
    for (let w = 0; w < 8; w++) hosts[w] = key[isBack ? (w + 4) & 7 : w]!;
    hosts[8] = key[9]!;
    return isBack ? this.#hosts.find() : this.#hosts.add();
  }

  #request(direction: Direction, what: number, timeMs: number): void {
    const { opcode, psn, messageBytes, payloadBytes, ackRequested } = this.#header;
    const service = opcode >> 5;
    countMessage(direction, what);
    if (messageBytes >= 0)
      direction.sizes[Math.min(sizeBuckets - 1, halfOctave(Math.min(2 ** 31 - 1, messageBytes)))]!++;
    if (what === operation.sendFirst || what === operation.writeFirst) direction.mtu = payloadBytes;
    if (service === roceService.ud || service === roceService.rd) return;
    const state = direction.sequence.add(psn, spanOf(direction, what, messageBytes), timeMs);
    if (state === 'late') direction.askedPsn = -1;
    else if (direction.askedPsn < 0 && ackRequested) {
      direction.askedPsn = psn;
      direction.askedMs = timeMs;
    }
  }

  #response(direction: Direction, what: number, packet: Packet, timeMs: number): void {
    const { psn, payloadBytes } = this.#header;
    direction.responses++;
    const isBegin = what === operation.readResponseFirst || what === operation.readResponseOnly;
    if (what === operation.readResponseFirst) direction.responseMtu = payloadBytes;
    const skipped = isBegin || direction.responsePsn < 0 ? 0 : psnDistance(psn, direction.responsePsn) - 1;
    if (skipped > 0 && skipped < ackWindowPsns) {
      direction.responseGaps++;
      direction.responseMissing += skipped;
    }
    direction.responsePsn = psn;
    if (isBegin) this.#answered(direction, packet, timeMs, false);
  }

  #acknowledge(direction: Direction, packet: Packet, timeMs: number): void {
    const nak = nakOf(this.#header.syndrome);
    if (nak === null) direction.acks++;
    else direction.naks.set(nak, (direction.naks.get(nak) ?? 0) + 1);
    this.#answered(direction, packet, timeMs, nak === 'psn-sequence-error');
  }

  /** Something came for the requests of the other direction. */
  #answered(direction: Direction, packet: Packet, timeMs: number, isMissing: boolean): void {
    if (direction.votes < votesNeeded && direction.searches < mostSearches) this.#vote(direction, packet);
    const asker = direction.partner;
    if (!asker) return;
    if (isMissing) {
      asker.sequence.nak();
      asker.askedPsn = -1;
    } else if (asker.askedPsn >= 0 && psnDistance(this.#header.psn, asker.askedPsn) >= 0) {
      if (timeMs >= asker.askedMs) asker.ackMinMs = Math.min(asker.ackMinMs, timeMs - asker.askedMs);
      asker.askedPsn = -1;
    }
  }

  /** Looks for the direction whose newest requests the number is nearest behind. */
  #vote(direction: Direction, packet: Packet): void {
    direction.searches++;
    const { key } = this.#index;
    putAddress(key, 0, packet.bytes, packet.sourceAt, packet.version);
    putAddress(key, 4, packet.bytes, packet.destinationAt, packet.version);
    key[9] = this.#networkOf(packet);
    const host = this.#hostsOf(key, true);
    let nearest: Direction | null = null;
    let least = ackWindowPsns;
    let candidate = host < 0 ? -1 : (this.#heads[host] ?? -1);
    for (let tried = 0; candidate >= 0 && tried < mostCandidates; tried++) {
      const one = this.#directions[candidate]!;
      candidate = one.nextOfHosts;
      if (one.sequence.next < 0) continue;
      const behind = -psnDistance(this.#header.psn, one.sequence.next);
      // A NAK names the number that is expected, which may be the next.
      if (behind < 0 || behind >= least) continue;
      nearest = one;
      least = behind;
    }
    if (!nearest) return;
    direction.votes = nearest === direction.partner ? direction.votes + 1 : 1;
    direction.partner = nearest;
    nearest.answer = direction;
  }

  report(): RoceReport {
    const answers = new Map<Direction, Direction[]>();
    for (const one of this.#directions)
      if (one.partner) answers.set(one.partner, [...(answers.get(one.partner) ?? []), one]);
    const asking = this.#directions.filter(
      (one) => one.sequence.next >= 0 || one.service === 'ud' || one.responses > 0,
    );
    const qps = asking.map((one) => this.#qp(one, answers.get(one) ?? []));
    qps.sort((a, b) => trouble(b) - trouble(a) || b.payloadBytes - a.payloadBytes);
    const matched = [...answers.values()].flat().reduce((sum, one) => sum + one.cnps, 0);
    return {
      packets: this.#packets,
      notRead: this.#notRead,
      cnps: this.#cnps,
      cnpsUnmatched: this.#cnps - matched,
      qps: qps.slice(0, mostListed),
      qpsNotListed: Math.max(0, qps.length - mostListed),
      packetsOfFurtherQps: this.#further,
      how: [
        'headers of RoCEv2 in the clear: sequence numbers, acknowledgements, congestion notifications, ECN',
        'acknowledgements belong to the queue pair whose sequence numbers fit: they do not name it',
      ],
    };
  }

  #qp(one: Direction, answers: readonly Direction[]): RoceQp {
    this.#index.read(one.number);
    const { key } = this.#index;
    const spanMs = one.lastMs - one.firstMs;
    const all = one.sends + one.writes + one.reads + one.atomics;
    const { gaps, missing, sentAgain, reordered, neverSeen, repeats, stepsBack } = one.sequence;
    const naks: RoceQp['naks'] = {};
    for (const answer of answers) for (const [kind, n] of answer.naks) naks[kind] = (naks[kind] ?? 0) + n;
    const sum = (of: (answer: Direction) => number) => answers.reduce((total, answer) => total + of(answer), 0);
    const back = answers[0];
    return {
      from: addressOf(key, 0),
      to: addressOf(key, 4),
      toQp: key[8]!,
      fromQp: back ? this.#qpOf(back) : null,
      service: one.service,
      firstMs: one.firstMs,
      lastMs: one.lastMs,
      packets: one.packets,
      payloadBytes: one.payloadBytes,
      messages: {
        send: one.sends,
        write: one.writes,
        read: one.reads,
        atomic: one.atomics,
        perSecond: spanMs > 0 ? (1000 * all) / spanMs : null,
      },
      messageP50Bytes: bucketQuantile(one.sizes, 0, sizeBuckets, 0.5),
      sequence: one.sequence.next < 0 ? null : { gaps, missing, sentAgain, reordered, neverSeen, repeats, stepsBack },
      readResponses: { packets: one.responses, gaps: one.responseGaps, missing: one.responseMissing },
      acks: sum((answer) => answer.acks),
      naks,
      cnps: sum((answer) => answer.cnps),
      ecnCe: one.ce,
      ecnCapable: one.ecnCapable,
      ackMinMs: one.ackMinMs < Infinity ? one.ackMinMs : null,
    };
  }

  #qpOf(direction: Direction): number {
    this.#index.read(direction.number);
    return this.#index.key[8]!;
  }
}

function newDirection(number: number, timeMs: number, nextOfHosts: number): Direction {
  return {
    number,
    service: 'rc',
    firstMs: timeMs,
    lastMs: timeMs,
    packets: 0,
    payloadBytes: 0,
    sends: 0,
    writes: 0,
    reads: 0,
    atomics: 0,
    sizes: new Uint32Array(sizeBuckets),
    sequence: new PsnSequence(),
    mtu: 0,
    responses: 0,
    responseGaps: 0,
    responseMissing: 0,
    responsePsn: -1,
    responseMtu: 0,
    acks: 0,
    naks: new Map(),
    cnps: 0,
    ce: 0,
    ecnCapable: 0,
    partner: null,
    votes: 0,
    answer: null,
    searches: 0,
    askedPsn: -1,
    askedMs: 0,
    ackMinMs: Infinity,
    nextOfHosts,
  };
}

function countMessage(direction: Direction, what: number): void {
  if (what === operation.readRequest) direction.reads++;
  else if (what === operation.compareSwap || what === operation.fetchAdd) direction.atomics++;
  else if (!endsMessage(what)) return;
  else if (what >= operation.writeFirst && what <= operation.writeOnlyImmediate) direction.writes++;
  else direction.sends++;
}

/** Sequence numbers that a request takes: a READ as many as its response has packets; 0 where that is not known. */
function spanOf({ mtu, answer }: Direction, what: number, messageBytes: number): number {
  if (what !== operation.readRequest) return 1;
  const packetBytes = mtu || (answer?.responseMtu ?? 0);
  return packetBytes === 0 || messageBytes < 0 ? 0 : Math.max(1, Math.ceil(messageBytes / packetBytes));
}

/** Signs of loss and congestion, for what is to stand first. */
function trouble({ sequence, naks, cnps, ecnCe, readResponses }: RoceQp): number {
  const refused = Object.values(naks).reduce((sum, n) => sum + n, 0);
  const lost = sequence ? sequence.repeats + sequence.missing : 0;
  return refused + lost + readResponses.missing + cnps + ecnCe;
}

function addressOf(key: Uint32Array, at: number): string {
  const bytes = Buffer.alloc(16);
  for (let w = 0; w < 4; w++) bytes.writeUInt32BE(key[at + w]!, 4 * w);
  const isMapped = key[at] === 0 && key[at + 1] === 0 && key[at + 2] === 0xffff;
  return isMapped ? formatIPv4(bytes, 12) : formatIPv6(bytes, 0);
}
