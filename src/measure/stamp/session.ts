import { IPPROTO_UDP, SOCK_DGRAM } from '../../wire/abi.ts';
import { readClockSync } from '../../wire/clock-sync.ts';
import { errnoOf, StampedSocket } from '../../wire/error-queue.ts';
import { describeIcmp, isPortUnreachable } from '../../wire/icmp.ts';
import type { Io } from '../../wire/io.ts';
import { errnoName, memory } from '../../wire/libc.ts';
import { SOL_IP, SOL_IPV6 } from '../../wire/msghdr.ts';
import {
  type ErrorEstimate,
  errorEstimate,
  errorSeconds,
  readReflector,
  signStamp,
  type StampMode,
  type StampTime,
  stampBytes,
  verifyStamp,
  writeSender,
} from '../../wire/stamp.ts';
import {
  COS_BYTES,
  readCos,
  readTlvs,
  TLV_FLAG,
  TLV_HEADER_BYTES,
  TLV_TYPE,
  writeCos,
  writePadding,
  writeTlv,
} from '../../wire/stamp-tlv.ts';
import { packetOf, sequenceOf } from './direction.ts';
import type { SentPacket, StampAnswer, StampRun } from './summary.ts';

export interface StampPeer {
  address: string;
  family: 4 | 6;
  port: number;
}

export interface StampSessionOptions {
  count: number;
  intervalMs: number;
  timeoutMs: number;
  /** UDP payload, octets. */
  bytes: number;
  dscp: number | null;
  key: Buffer | null;
}

/** What a session saw besides packets and answers. */
export interface StampSession extends StampRun {
  /** ICMP errors: who said what, how often. */
  refused: { by: string; port: boolean; message: string; count: number } | null;
  lastErrno: string | null;
  interrupted: boolean;
}

const POLL_MS = 1;
const IP_TOS = 1;
const IPV6_TCLASS = 67;

/** The octets of a packet: header, Class of Service where asked for, padding. The smallest that the options permit. */
export function leastBytes(dscp: number | null, mode: StampMode): number {
  return stampBytes(mode) + (dscp === null ? 0 : TLV_HEADER_BYTES + COS_BYTES);
}

/**
 * Sends on an open-loop schedule and collects every answer, by a connected UDP socket with kernel stamps. Linux.
 * @throws SystemCallError when there can be no socket
 */
export async function runStampSession(
  to: StampPeer,
  options: StampSessionOptions,
  io: Io,
  signal: AbortSignal,
  progress: (run: StampRun) => void = () => undefined,
): Promise<StampSession> {
  const socket = new StampedSocket(to.family, SOCK_DGRAM, IPPROTO_UDP, 'tx+rx');
  try {
    if (options.dscp !== null) {
      if (to.family === 4) socket.setOption(SOL_IP, IP_TOS, options.dscp << 2);
      else socket.setOption(SOL_IPV6, IPV6_TCLASS, options.dscp << 2);
    }
    const session = new Session(socket, to, options, io);
    const failed = socket.connect(to.address, to.port);
    if (failed !== 0) return session.cannotConnect(failed);
    await session.run(signal, progress);
    return session.result(signal.aborted);
  } finally {
    socket.close();
  }
}

class Session {
  readonly #socket: StampedSocket;
  readonly #to: StampPeer;
  readonly #options: StampSessionOptions;
  readonly #io: Io;
  readonly #mode: StampMode;
  readonly #packet: Buffer;
  readonly #ssid: number;
  readonly #own: { estimate: ErrorEstimate; synchronised: boolean; errorSec: number };
  readonly #packets: (SentPacket & { stamped: boolean })[] = [];
  readonly #answers: StampAnswer[] = [];
  readonly #pending = new Set<number>();
  /** Second of the wall clock at the start, and where it lies on the monotonic scale: fixed, so that T2 and T3 are told on one scale. */
  readonly #base: { sec: number; ms: number };
  #peerError: ErrorEstimate | null = null;
  #refused: StampSession['refused'] = null;
  #lastErrno: string | null = null;
  #sendFailures = 0;

  constructor(socket: StampedSocket, to: StampPeer, options: StampSessionOptions, io: Io) {
    this.#socket = socket;
    this.#to = to;
    this.#options = options;
    this.#io = io;
    this.#mode = options.key === null ? 'open' : 'authenticated';
    this.#packet = memory(options.bytes);
    this.#ssid = 1 + Math.floor(io.random.next() * 0xfffe);
    const { synchronised, errorSec } = readClockSync();
    this.#own = { estimate: errorEstimate(errorSec, synchronised), synchronised, errorSec };
    const { sec } = socket.clock.realtime();
    this.#base = { sec, ms: socket.clock.toMonoMs(sec, 0) };
    this.#extend();
  }

  /** Packet n leaves at start + n × interval, whatever became of the others. */
  async run(signal: AbortSignal, progress: (run: StampRun) => void): Promise<void> {
    const { count, intervalMs, timeoutMs } = this.#options;
    const { clock } = this.#io;
    const startMs = clock.monoMs();
    while (!signal.aborted) {
      const nowMs = clock.monoMs();
      for (let n = this.#packets.length; n < count && startMs + n * intervalMs <= nowMs; n++)
        this.#send(n, startMs + n * intervalMs);
      this.#drain();
      for (const n of this.#pending) {
        if (nowMs - this.#packets[n]!.sentMs <= timeoutMs) break;
        this.#pending.delete(n);
      }
      progress(this.#run());
      const next = this.#packets.length;
      if (next >= count && this.#pending.size === 0) return;
      const dueMs = next < count ? startMs + next * intervalMs - clock.monoMs() : POLL_MS;
      const waitMs = this.#pending.size > 0 ? Math.min(POLL_MS, dueMs) : dueMs;
      await clock.sleep(Math.max(0, waitMs), signal).catch(() => undefined);
    }
    this.#drain();
  }

  cannotConnect(errno: number): StampSession {
    this.#lastErrno = errnoName(errno);
    return this.result(false);
  }

  /** After an interruption only what lies before the last answer is told: the rest may still be on its way. */
  result(interrupted: boolean): StampSession {
    const run = this.#run();
    const told = interrupted ? Math.max(-1, ...run.answers.map(({ n }) => n)) + 1 : run.packets.length;
    return {
      ...run,
      packets: run.packets.slice(0, told),
      refused: this.#refused,
      lastErrno: this.#lastErrno,
      interrupted,
    };
  }

  #run(): StampRun {
    const peer = this.#peerError;
    const synchronised = this.#own.synchronised && peer?.synchronised === true;
    return {
      packets: this.#packets,
      answers: this.#answers,
      timeoutMs: this.#options.timeoutMs,
      sendFailures: this.#sendFailures,
      clockErrorMs: synchronised ? (this.#own.errorSec + errorSeconds(peer)) * 1000 : null,
      dscp: this.#options.dscp,
    };
  }

  /** What does not change from packet to packet: TLVs behind the header. */
  #extend(): void {
    const { dscp, bytes } = this.#options;
    let end = stampBytes(this.#mode);
    if (dscp !== null) {
      const cos = { wantedDscp: dscp, receivedDscp: 0, receivedEcn: 0, refused: 0 };
      writeCos(this.#packet, writeTlv(this.#packet, end, TLV_TYPE.CLASS_OF_SERVICE, COS_BYTES), cos);
      end += TLV_HEADER_BYTES + COS_BYTES;
    }
    writePadding(this.#packet, end, bytes);
  }

  #send(n: number, dueMs: number): void {
    const { key, bytes } = this.#options;
    const time = this.#socket.clock.realtime();
    writeSender(
      this.#packet,
      { sequence: sequenceOf(n), time, error: this.#own.estimate, ssid: this.#ssid },
      this.#mode,
    );
    if (key !== null) signStamp(this.#packet, key);
    // In the books before it is on the wire: on loopback the answer is there before send() returns.
    this.#packets.push({ dueMs, sentMs: this.#io.clock.monoMs(), void: false, stamped: false });
    this.#pending.add(n);
    try {
      this.#socket.send(this.#packet, bytes, n, this.#to.address);
    } catch (error) {
      this.#lastErrno = errnoOf(error);
      this.#sendFailures++;
      this.#pending.delete(n);
    }
  }

  #drain(): void {
    const stepMs = this.#socket.drain({
      transmitted: (n, atMs) => {
        const packet = this.#packets[n]!;
        packet.sentMs = atMs;
        packet.stamped = true;
      },
      icmpError: ({ offender, errorType, errorCode }) => {
        const by = offender ?? this.#to.address;
        const port = by === this.#to.address && isPortUnreachable(this.#to.family, errorType, errorCode);
        const message = describeIcmp(this.#to.family, errorType, errorCode);
        this.#refused = { by, port, message, count: (this.#refused?.count ?? 0) + 1 };
      },
      received: (bytes, _control, atMs) => this.#receive(bytes, atMs),
    });
    if (stepMs !== 0) for (const n of this.#pending) this.#packets[n]!.void = true;
  }

  #receive(bytes: number, atMs: number | null): void {
    const { data } = this.#socket.message;
    const { key } = this.#options;
    const packet = readReflector(data, bytes, this.#mode);
    if (packet === null || (key !== null && !verifyStamp(data, key))) return;
    const n = packetOf(packet.sender.sequence);
    // A number that was not sent yet is none of ours.
    if (n === null || n >= this.#packets.length) return;
    this.#peerError = packet.error;
    this.#pending.delete(n);
    this.#answers.push({
      n,
      reflected: packet.sequence,
      receivedMs: this.#toMs(packet.received),
      repliedMs: this.#toMs(packet.time),
      arrivedMs: atMs ?? this.#io.clock.monoMs(),
      ttl: packet.sender.ttl,
      stamped: atMs !== null && this.#packets[n]!.stamped,
      dscp: this.#dscpOf(data, bytes),
    });
  }

  #toMs({ sec, nsec }: StampTime): number {
    return this.#base.ms + (sec - this.#base.sec) * 1e3 + nsec / 1e6;
  }

  #dscpOf(data: Buffer, bytes: number): number | null {
    if (this.#options.dscp === null) return null;
    const tlv = readTlvs(data, stampBytes(this.#mode), bytes).find(({ type }) => type === TLV_TYPE.CLASS_OF_SERVICE);
    const recognised = tlv !== undefined && (tlv.flags & (TLV_FLAG.U | TLV_FLAG.I)) === 0;
    return recognised ? (readCos(data, tlv)?.receivedDscp ?? null) : null;
  }
}
