import { constants } from 'node:os';
import type { KernelClock } from '../clock.ts';
import { isPortUnreachable } from '../icmp.ts';
import { lastErrno, libc, memory } from '../libc.ts';
import { MSG_DONTWAIT, MSG_ERRQUEUE, SCM_TSTAMP, SO_EE_ORIGIN } from '../msghdr.ts';
import { AF_INET, AF_INET6 } from '../sockaddr.ts';
import type { Wall } from './clocks.ts';
import { type Columns, Counter, ProbeState } from './columns.ts';
import type { Flight } from './flight.ts';
import { MessageBatch, NAME_WORDS } from './messages.ts';
import type { NicTimes } from './nic-times.ts';
import type { Sender } from './sender.ts';
import { droppedPackets, type SweepSocket } from './socket.ts';
import { fastControl, readFastControl } from './stamps.ts';

/** IPv4 header with options, transport header and our payload. */
const PACKET_BYTES = 96;
const CONTROL_BYTES = 192;
/** Pending errors of the socket that are stepped over in one go. */
const ERRORS_MAX = 1024;

/** The receiving half of one socket: answers, and on the error queue transmit stamps and ICMP errors. */
export class Receiver {
  readonly #socket: SweepSocket;
  readonly #flight: Flight;
  readonly #sender: Sender;
  readonly #clock: KernelClock;
  readonly #wall: Wall;
  readonly #nic: NicTimes | null;
  readonly #packets: MessageBatch;
  readonly #errors: MessageBatch;
  readonly #said = fastControl();
  readonly #meminfo = memory(64);
  readonly #meminfoLength = memory(4);
  #drops = 0;
  #readMs = -Infinity;

  constructor(
    sender: Sender,
    slots: number,
    flight: Flight,
    clock: KernelClock,
    wall: Wall,
    nic: NicTimes | null = null,
  ) {
    this.#socket = sender.socket;
    this.#sender = sender;
    this.#flight = flight;
    this.#clock = clock;
    this.#wall = wall;
    this.#nic = nic;
    this.#packets = new MessageBatch(slots, PACKET_BYTES, CONTROL_BYTES);
    this.#errors = new MessageBatch(slots, PACKET_BYTES, CONTROL_BYTES);
  }

  /** Takes one batch of answers and whatever is on the error queue; returns how many answers. */
  receive(): number {
    const packets = this.#packets;
    const count = this.#recvmmsg(packets, MSG_DONTWAIT);
    // A probe's transmit stamp is queued before its answer arrives: read only now, no answer can be ahead of its stamp.
    this.readErrors();
    const nowMs = this.#clock.monoMs();
    if (count > 0) {
      if (this.#clock.sample() !== 0) this.#flight.voidStamps();
      for (let slot = 0; slot < count; slot++) this.#take(slot, nowMs);
    }
    this.#countDrops(nowMs);
    return count;
  }

  /** Empties the error queue. */
  readErrors(): void {
    const errors = this.#errors;
    for (;;) {
      const count = this.#recvmmsg(errors, MSG_DONTWAIT | MSG_ERRQUEUE);
      for (let slot = 0; slot < count; slot++) this.#takeError(slot);
      if (count < errors.slots) return;
    }
  }

  #recvmmsg(batch: MessageBatch, flags: number): number {
    batch.rearm();
    for (let i = 0; i < ERRORS_MAX; i++) {
      const count = libc().recvmmsg(this.#socket.fd, batch.headers, batch.slots, flags, null);
      if (count >= 0) {
        batch.received(count);
        return count;
      }
      // Any other errno is that of an earlier ICMP error, told once; what was received stands behind it.
      if (lastErrno() === constants.errno.EAGAIN) break;
    }
    return 0;
  }

  #take(slot: number, nowMs: number): void {
    const packets = this.#packets;
    const flight = this.#flight;
    const { codec } = this.#socket;
    const probe = codec.read(packets, slot, packets.receivedBytes(slot));
    if (probe < 0 || !flight.knows(probe)) {
      flight.columns.counters[Counter.foreign]!++;
      return;
    }
    readFastControl(packets.control32, packets.controlWord(slot), packets.controlLength(slot), this.#said);
    const index = probe & flight.mask;
    const rttMs = this.#said.hasStamp ? this.#wall.toMs(this.#said.sec, this.#said.nsec) - flight.txMs[index]! : NaN;
    const target = flight.targetOf(probe);
    const isTarget = sameAddress(packets.names32, slot * NAME_WORDS, flight.columns, target);
    const state = !isTarget ? ProbeState.otherAddress : codec.refused ? ProbeState.refused : ProbeState.answered;
    const isFirst = flight.answered(probe, Math.max(0, rttMs), nowMs - flight.sentMs[index]!, state);
    if (isFirst && this.#said.hasNicStamp) this.#nic?.received(probe, this.#said.nicSec, this.#said.nicNsec);
    if (isFirst && !isTarget) noteOffender(packets.names32, slot * NAME_WORDS, flight.columns, target);
  }

  #takeError(slot: number): void {
    const errors = this.#errors;
    const words = errors.control32;
    readFastControl(words, errors.controlWord(slot), errors.controlLength(slot), this.#said);
    const { errorWord, hasStamp, sec, nsec } = this.#said;
    if (errorWord < 0) return;
    const atMs = hasStamp ? this.#wall.toMs(sec, nsec) : NaN;
    // struct sock_extended_err: errno; origin, type, code; info; data
    const origin = words[errorWord + 1]! & 0xff;
    if (origin === SO_EE_ORIGIN.TIMESTAMPING) {
      const moment = words[errorWord + 2];
      if (hasStamp && moment !== SCM_TSTAMP.ACK)
        this.#sender.stamped(words[errorWord + 3]!, atMs, moment === SCM_TSTAMP.SND);
      if (this.#said.hasNicStamp && moment === SCM_TSTAMP.SND)
        this.#sender.nicStamped(words[errorWord + 3]!, this.#said.nicSec, this.#said.nicNsec);
    } else if (origin === SO_EE_ORIGIN.ICMP || origin === SO_EE_ORIGIN.ICMP6) this.#icmpError(slot, atMs);
  }

  #icmpError(slot: number, atMs: number): void {
    const errors = this.#errors;
    const flight = this.#flight;
    const { columns } = flight;
    const { errorWord, errorBytes } = this.#said;
    const probe = this.#socket.codec.readQuote(errors, slot, errors.receivedBytes(slot), flight.next);
    if (!flight.knows(probe)) {
      columns.counters[Counter.foreign]!++;
      return;
    }
    const target = flight.targetOf(probe);
    const type = (errors.control32[errorWord + 1]! >>> 8) & 0xff;
    const code = (errors.control32[errorWord + 1]! >>> 16) & 0xff;
    const offender = errorWord + 4;
    const hasOffender = errorBytes >= 16 + (this.#socket.family === 4 ? 8 : 24);
    const isTarget = hasOffender && sameAddress(errors.control32, offender, columns, target);
    if (isTarget && isPortUnreachable(this.#socket.family, type, code)) {
      const index = probe & flight.mask;
      const waitedMs = this.#clock.monoMs() - flight.sentMs[index]!;
      flight.answered(probe, Math.max(0, atMs - flight.txMs[index]!), waitedMs, ProbeState.refused);
    } else if (!flight.undeliverable(probe)) return;
    columns.icmp[target] = type * 256 + code;
    if (hasOffender) noteOffender(errors.control32, offender, columns, target);
  }

  #countDrops(nowMs: number): void {
    const drops = droppedPackets(this.#socket.fd, this.#meminfo, this.#meminfoLength);
    if (drops !== this.#drops) this.#flight.dropped((drops - this.#drops) >>> 0, this.#readMs, nowMs);
    this.#drops = drops;
    this.#readMs = nowMs;
  }
}

/** Whether the struct sockaddr at a word is that of a target. */
function sameAddress(words: Uint32Array, at: number, { address32, family }: Columns, target: number): boolean {
  const domain = words[at]! & 0xffff;
  const own = target * 4;
  if (domain === AF_INET) return family[target] === 4 && words[at + 1] === address32[own];
  if (domain !== AF_INET6 || family[target] !== 6) return false;
  for (let i = 0; i < 4; i++) if (words[at + 2 + i] !== address32[own + i]) return false;
  return true;
}

/** Keeps the address in the struct sockaddr at a word as the one that answered for a target. */
export function noteOffender(words: Uint32Array, at: number, columns: Columns, target: number): void {
  const domain = words[at]! & 0xffff;
  columns.offenderFamily[target] = domain === AF_INET ? 4 : domain === AF_INET6 ? 6 : 0;
  for (let i = 0; i < 4; i++)
    columns.offender32[target * 4 + i] = domain === AF_INET ? (i === 0 ? words[at + 1]! : 0) : words[at + 2 + i]!;
}
