import { constants } from 'node:os';
import { IPPROTO_TCP, IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM, TCP_INFO } from '../abi.ts';
import type { KernelClock } from '../clock.ts';
import { lastErrno, libc, memory } from '../libc.ts';
import {
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  SCM_TSTAMP,
  SO_EE_ORIGIN,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_SOCKET,
} from '../msghdr.ts';
import { AF_INET } from '../sockaddr.ts';
import { type Calibration, calibrate } from './calibrate.ts';
import { clientHello, isAnswerRecord, RECORD_HEADER_BYTES, renewRandom } from './client-hello.ts';
import { openWall, type Wall } from './clocks.ts';
import { ProbeState } from './columns.ts';
import type { Flight } from './flight.ts';
import { MessageBatch, NAME_BYTES } from './messages.ts';
import { fastControl, readFastControl } from './stamps.ts';

const CONTROL_BYTES = 192;
const TCP_INFO_BYTES = 104;
const TCPI_TOTAL_RETRANS = 100;
const { RX_SOFTWARE, TX_SOFTWARE, SOFTWARE, OPT_TSONLY } = SOF_TIMESTAMPING;

/** What came back so far: the header of a record, and when its first octet did. */
interface Answer {
  header: Uint8Array;
  bytes: number;
  /** On the wall clock; NaN without a stamp. */
  stampMs: number;
  seenMs: number;
}

/**
 * The TLS half of a probe on a connection that stands: our ClientHello out, the first octet back, by kernel stamps of both. The
 * handshake never gets further.
 */
export class HelloExchange {
  readonly calibration: Calibration;
  readonly #flight: Flight;
  readonly #clock: KernelClock;
  readonly #wall: Wall = openWall();
  readonly #serverNames: ReadonlyMap<number, string>;
  readonly #nameless = clientHello();
  readonly #answers = new Map<number, Answer>();
  readonly #in = new MessageBatch(1, 8, CONTROL_BYTES);
  readonly #said = fastControl();
  readonly #value = memory(4);
  readonly #info = memory(TCP_INFO_BYTES);
  readonly #length = memory(4);
  /** The kernel stamps what comes in only while some socket wants it, and takes a while to begin: this one wants it all the time. */
  readonly #keeper: number;

  constructor(flight: Flight, clock: KernelClock, serverNames: ReadonlyMap<number, string>) {
    this.#flight = flight;
    this.#clock = clock;
    this.#serverNames = serverNames;
    this.#keeper = libc().socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    this.#wantStamps(this.#keeper);
    this.calibration = calibrate(this.#wall);
  }

  close(): void {
    if (this.#keeper >= 0) libc().close(this.#keeper);
  }

  /** Whether the ClientHello of a probe is on its way. */
  isOut(probe: number): boolean {
    return this.#answers.has(probe);
  }

  /** The probe is over. */
  forget(probe: number): void {
    this.#answers.delete(probe);
  }

  send(probe: number, fd: number): void {
    const { txMs, txErrorMs, mask } = this.#flight;
    const name = this.#serverNames.get(this.#flight.targetOf(probe));
    const hello = name === undefined ? this.#nameless : clientHello(name.replace(/\.$/, ''));
    renewRandom(hello);
    this.#wantStamps(fd);
    const beforeMs = this.#wall.nowMs();
    const sent = libc().send(fd, hello, hello.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    const errno = sent < 0 ? lastErrno() : 0;
    const afterMs = this.#wall.nowMs();
    // The send buffer of a fresh connection holds more than a ClientHello: nothing is ever sent in part.
    if (sent !== hello.length) {
      this.#broken(probe, errno);
      return;
    }
    // Until the kernel's stamp is read.
    txMs[probe & mask] = (beforeMs + afterMs) / 2;
    txErrorMs[probe & mask] = (afterMs - beforeMs) / 2;
    this.#answers.set(probe, { header: new Uint8Array(RECORD_HEADER_BYTES), bytes: 0, stampMs: NaN, seenMs: NaN });
  }

  /** Something came on the connection of a probe whose ClientHello is out. */
  receive(probe: number, fd: number): void {
    const answer = this.#answers.get(probe)!;
    this.#readTransmitStamp(probe, fd);
    while (answer.bytes < RECORD_HEADER_BYTES) {
      // One octet at first: the kernel gives a read the stamp of the last packet in it.
      const count = this.#read(fd, answer, answer.bytes === 0 ? 1 : RECORD_HEADER_BYTES - answer.bytes);
      if (count > 0) continue;
      const errno = count === 0 ? constants.errno.ENODATA : -count;
      if (errno !== constants.errno.EAGAIN) this.#broken(probe, errno);
      return;
    }
    if (isAnswerRecord(answer.header)) this.#answered(probe, fd, answer);
    else this.#broken(probe, constants.errno.EPROTO);
  }

  /** Octets read into the header, 0 at the end of the stream, or minus an errno. */
  #read(fd: number, answer: Answer, most: number): number {
    const into = this.#in;
    into.setLengths(0, most, NAME_BYTES, CONTROL_BYTES);
    if (libc().recvmmsg(fd, into.headers, 1, MSG_DONTWAIT, null) !== 1) return -lastErrno();
    const count = into.receivedBytes(0);
    answer.header.set(into.data.subarray(0, count), answer.bytes);
    if (answer.bytes === 0 && count > 0) {
      answer.seenMs = this.#wall.nowMs();
      readFastControl(into.control32, 0, into.controlLength(0), this.#said);
      if (this.#said.hasStamp) answer.stampMs = this.#wall.toMs(this.#said.sec, this.#said.nsec);
    }
    answer.bytes += count;
    return count;
  }

  #answered(probe: number, fd: number, { stampMs, seenMs }: Answer): void {
    const flight = this.#flight;
    // A ClientHello that had to be sent again is a lost packet, and its time is not one round trip: it runs into its timeout.
    if (this.#wasSentAgain(fd)) return;
    if (this.#clock.sample() !== 0) flight.voidStamps();
    const slot = probe & flight.mask;
    const hasStamp = !Number.isNaN(stampMs);
    const rttMs = Math.max(0, (hasStamp ? stampMs : seenMs) - flight.txMs[slot]!);
    // By our own clock, the answer came at some time before we looked.
    if (!hasStamp && !Number.isNaN(rttMs)) flight.txErrorMs[slot]! += rttMs / 2;
    flight.answered(probe, rttMs, this.#clock.monoMs() - flight.sentMs[slot]!, ProbeState.answered);
  }

  #wasSentAgain(fd: number): boolean {
    this.#length.writeUInt32LE(TCP_INFO_BYTES, 0);
    libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, this.#info, this.#length);
    return this.#info.readUInt32LE(TCPI_TOTAL_RETRANS) > 0;
  }

  /** The peer did something else than answering by TLS. */
  #broken(probe: number, errno: number): void {
    const flight = this.#flight;
    if (flight.undeliverable(probe, ProbeState.notTls)) flight.columns.errno[flight.targetOf(probe)] = errno;
  }

  /** Takes what is on the error queue: the stamp of sending, and ICMP errors that a connection which stands outlives. */
  #readTransmitStamp(probe: number, fd: number): void {
    const into = this.#in;
    const { txMs, txErrorMs, mask } = this.#flight;
    for (;;) {
      into.setLengths(0, into.dataBytes, NAME_BYTES, CONTROL_BYTES);
      if (libc().recvmmsg(fd, into.headers, 1, MSG_DONTWAIT | MSG_ERRQUEUE, null) !== 1) return;
      readFastControl(into.control32, 0, into.controlLength(0), this.#said);
      const { errorWord, hasStamp, sec, nsec } = this.#said;
      if (errorWord < 0 || !hasStamp || (into.control32[errorWord + 1]! & 0xff) !== SO_EE_ORIGIN.TIMESTAMPING) continue;
      if (into.control32[errorWord + 2] !== SCM_TSTAMP.SND) continue;
      txMs[probe & mask] = this.#wall.toMs(sec, nsec);
      txErrorMs[probe & mask] = 0;
    }
  }

  #wantStamps(fd: number): void {
    this.#value.writeInt32LE(TX_SOFTWARE | RX_SOFTWARE | SOFTWARE | OPT_TSONLY, 0);
    libc().setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, this.#value, 4);
  }
}
