import { constants } from 'node:os';
import { SO_ERROR } from '../abi.ts';
import { lastErrno, libc, memory } from '../libc.ts';
import { MSG_DONTWAIT, SO_TIMESTAMPING, SOF_TIMESTAMPING, SOL_SOCKET } from '../msghdr.ts';
import { AF_INET, AF_INET6, SOCKADDR_IN6_BYTES, SOCKADDR_IN_BYTES } from '../sockaddr.ts';
import type { Wall } from './clocks.ts';
import type { Flight, SweepPlan } from './flight.ts';
import { MessageBatch, NAME_WORDS } from './messages.ts';
import type { NicTimes } from './nic-times.ts';
import type { SweepSocket } from './socket.ts';

/** A control message of one 32-bit word (struct cmsghdr, padded). */
const CONTROL_BYTES = 24;
/** Transmit stamps that may be on their way to us; a power of two. */
const STAMP_RING = 1 << 17;
const { TX_HARDWARE, TX_SOFTWARE, TX_SCHED } = SOF_TIMESTAMPING;
/** Between the two stamps of sending; ten times what the kernel and a packet tap need. */
const QUEUED_MS = 0.1;
/** A stamp may seem this much before our own reading of the clock, ms. */
const STAMP_SLACK_MS = 0.02;

/** The sending half of one socket. */
export class Sender {
  readonly socket: SweepSocket;
  readonly #flight: Flight;
  readonly #plan: SweepPlan;
  readonly #wall: Wall;
  readonly #nic: NicTimes | null;
  readonly #out: MessageBatch;
  readonly #scratch = memory(4);
  readonly #scratchLength = memory(4);
  /** Which probe a transmit stamp is of, by the kernel's own count of the packets that wanted one. */
  readonly #stampProbe = new Int32Array(STAMP_RING);
  #stamps = 0;
  /** When a packet entered the queue of its device, by slot of the books; empty where only some packets are stamped. */
  readonly #enteredMs: Float64Array;

  /** @param nic takes the stamps of the network card; null where it makes none */
  constructor(
    socket: SweepSocket,
    slots: number,
    flight: Flight,
    plan: SweepPlan,
    wall: Wall,
    nic: NicTimes | null = null,
  ) {
    this.socket = socket;
    this.#flight = flight;
    this.#plan = plan;
    this.#wall = wall;
    this.#nic = nic;
    this.#out = new MessageBatch(slots, (socket.codec.packetBytes + 7) & ~3, CONTROL_BYTES);
    socket.codec.prepare(this.#out);
    const isEvery = plan.stampEvery === 1;
    this.#enteredMs = new Float64Array(isEvery ? flight.mask + 1 : 0).fill(-Infinity);
    const flags = TX_SOFTWARE | (isEvery ? TX_SCHED : 0) | (nic === null ? 0 : TX_HARDWARE);
    for (let i = 0; i < slots; i++) askForStamp(this.#out, i, flags);
  }

  /**
   * Sends what is due, at most one batch and at most `room` packets.
   * @param readStamps takes in the transmit stamps that are there by now
   * @returns how many went out, or failed for good; 0 when the kernel's queue is full
   */
  send(nowMs: number, room: number, readStamps: () => void): number {
    const count = this.#fill(nowMs, room);
    const beforeMs = this.#wall.nowMs();
    const sent = this.#sendmmsg(count);
    const afterMs = this.#wall.nowMs();
    if (sent < 0) return this.#failure(-sent);
    const first = this.#flight.next;
    for (let i = 0; i < sent; i++) {
      const probe = this.#flight.sent(nowMs);
      this.#nic?.forget(probe);
      if (this.#wantsStamp(i, count)) this.#stampProbe[this.#stamps++ & (STAMP_RING - 1)] = probe;
    }
    readStamps();
    this.#interpolate(first, sent, beforeMs, afterMs);
    return sent;
  }

  /**
   * The kernel's stamp number `id` says `atMs` on the wall clock: of the packet entering the queue of the device, or of the driver
   * having it. In between runs code of this host only, packet taps among it; where the wire begins in there nobody can tell, so the
   * middle is taken, ± half. A packet that waited longer than QUEUED_MS was held by our own queue: then the driver's stamp counts.
   */
  stamped(id: number, atMs: number, isDriver: boolean): void {
    const probe = this.#probeOf(id);
    if (probe < 0) return;
    const slot = probe & this.#flight.mask;
    // A count that went astray (a packet dropped halfway out) would give one probe the stamp of another: then it stands before its own call.
    const estimateMs = this.#flight.txMs[slot]! - this.#flight.txErrorMs[slot]!;
    if (atMs < estimateMs - STAMP_SLACK_MS) return;
    const enteredMs = this.#enteredMs[slot] ?? 0;
    if (!isDriver) {
      if (slot < this.#enteredMs.length) this.#enteredMs[slot] = atMs;
      return;
    }
    const isNear = atMs >= enteredMs && atMs - enteredMs < QUEUED_MS;
    this.#flight.txMs[slot] = isNear ? (enteredMs + atMs) / 2 : atMs;
    this.#flight.txErrorMs[slot] = isNear ? (atMs - enteredMs) / 2 : 0;
  }

  /** The stamp of the network card of the packet number `id`, by the card's own clock. */
  nicStamped(id: number, sec: number, nsec: number): void {
    const probe = this.#probeOf(id);
    if (probe >= 0) this.#nic?.sent(probe, sec, nsec);
  }

  /** The probe that was the packet number `id` of those that wanted a stamp; −1 when it is not remembered. */
  #probeOf(id: number): number {
    const age = (this.#stamps - id) >>> 0;
    if (age === 0 || age > STAMP_RING) return -1;
    const probe = this.#stampProbe[id & (STAMP_RING - 1)]!;
    return this.#flight.knows(probe) ? probe : -1;
  }

  #wantsStamp(index: number, count: number): boolean {
    // The last of a batch too, so that nothing has to be extrapolated.
    return index % this.#plan.stampEvery === 0 || index === count - 1;
  }

  /** Lays out the probes that are due, as many as fit one call; returns how many. */
  #fill(nowMs: number, room: number): number {
    const flight = this.#flight;
    const { targets, rounds, family, address32, port, scope } = flight.columns;
    const { roundMs, spacingMs } = this.#plan;
    const { codec, family: ours } = this.socket;
    const out = this.#out;
    const [domain, nameBytes] = ours === 4 ? [AF_INET, SOCKADDR_IN_BYTES] : [AF_INET6, SOCKADDR_IN6_BYTES];
    const { startMs } = flight;
    let [probe, target, round, count] = [flight.next, flight.nextTarget, flight.nextRound, 0];
    const most = Math.min(out.slots, room);
    while (count < most && round < rounds && family[target] === ours) {
      if (startMs + round * roundMs + target * spacingMs > nowMs) break;
      const name = count * NAME_WORDS;
      out.names32[name] = codec.usesPort ? domain | (port[target]! << 16) : domain;
      if (ours === 4) out.names32[name + 1] = address32[target * 4]!;
      else {
        for (let i = 0; i < 4; i++) out.names32[name + 2 + i] = address32[target * 4 + i]!;
        out.names32[name + 6] = scope[target]!;
      }
      codec.write(out, count++, probe++, target);
      if (++target === targets) {
        target = 0;
        round++;
      }
    }
    for (let i = 0; i < count; i++)
      out.setLengths(i, codec.packetBytes, nameBytes, this.#wantsStamp(i, count) ? CONTROL_BYTES : 0);
    return count;
  }

  /** How many went out, or minus the errno of the first one; 0 when the kernel's queue is full. */
  #sendmmsg(count: number): number {
    for (let attempt = 0; ; attempt++) {
      const sent = libc().sendmmsg(this.socket.fd, this.#out.headers, count, MSG_DONTWAIT);
      if (sent > 0) return sent;
      const errno = lastErrno();
      if (errno === constants.errno.EAGAIN || errno === constants.errno.ENOBUFS) return 0;
      if (attempt === 2) return -errno;
      // It may be the pending error of an earlier probe, told once; its details wait on the error queue.
      this.#scratchLength.writeInt32LE(4, 0);
      libc().getsockopt(this.socket.fd, SOL_SOCKET, SO_ERROR, this.#scratch, this.#scratchLength);
    }
  }

  #failure(errno: number): number {
    if (errno === 0) return 0;
    this.#flight.failed(errno);
    return 1;
  }

  /**
   * Gives the packets between two stamps the time in proportion, ± half the distance of the stamps. Our own readings around the
   * call stand in for a first and a last stamp, and for all of them where the kernel gives none.
   */
  #interpolate(first: number, count: number, beforeMs: number, afterMs: number): void {
    const { txMs, txErrorMs, mask } = this.#flight;
    let [fromIndex, fromMs] = [-1, beforeMs];
    for (let i = 0; i <= count; i++) {
      const atMs = i === count ? afterMs : txMs[(first + i) & mask]!;
      if (Number.isNaN(atMs)) continue;
      const errorMs = Math.max(0, (atMs - fromMs) / 2);
      for (let j = fromIndex + 1; j < i; j++) {
        const slot = (first + j) & mask;
        txMs[slot] = fromMs + ((atMs - fromMs) * (j - fromIndex)) / (i - fromIndex);
        txErrorMs[slot] = errorMs;
      }
      [fromIndex, fromMs] = [i, atMs];
    }
  }
}

/** SO_TIMESTAMPING as a control message asks for the stamp of this one packet (Documentation/networking/timestamping.rst §1.3.4). */
function askForStamp(out: MessageBatch, slot: number, flags: number): void {
  const word = out.controlWord(slot);
  out.control32[word] = 20;
  out.control32[word + 2] = SOL_SOCKET;
  out.control32[word + 3] = SO_TIMESTAMPING;
  out.control32[word + 4] = flags;
}
