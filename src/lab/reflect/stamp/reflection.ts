import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type ErrorEstimate,
  readSender,
  signStamp,
  stampBytes,
  type StampMode,
  type StampTime,
  verifyStamp,
  writeReflector,
  writeSentTime,
} from '../../../wire/stamp.ts';
import {
  COOKIE_BYTES,
  readCos,
  readSizeTlv,
  readTlvs,
  SIZE_STATUS,
  SIZE_TLV_BYTES,
  type SizeTlv,
  type Tlv,
  TLV_FLAG,
  TLV_HEADER_BYTES,
  TLV_TYPE,
  writeCos,
  writePadding,
  writeSizeTlv,
} from '../../../wire/stamp-tlv.ts';
import { type SessionLimits, Sessions, TokenBucket } from './sessions.ts';

/** How a reflector behaves. */
export interface ReflectionPolicy {
  /** Count replies per session (RFC 8762 §4.3), so that the sender can tell which way packets were lost; else copy its number. */
  stateful: boolean;
  /** Shared secret: only authenticated packets are answered then. */
  key: Buffer | null;
  /** Heed the experimental TLV "reply size". */
  sizes: boolean;
  limits: SessionLimits;
}

/** One received packet. `slot` is the memory that it lies in, in which the reply is made. */
export interface StampArrival {
  slot: Buffer;
  length: number;
  /** Address and port of the sender, as a key. */
  peer: string;
  received: StampTime;
  ttl: number;
  /** Traffic class octet: DSCP and ECN. */
  tos: number;
  /** Monotonic. */
  nowMs: number;
}

/** The reply that was made in the slot; T3 is missing. */
export interface StampReply {
  length: number;
  tos: number;
  /** What to send instead when the interface cannot carry `length`: see tooLarge(). Null where that is no question. */
  fallback: { length: number; sizeAt: number } | null;
  /** It has the size that its sender wanted, and ends behind the TLV that asked for it. */
  resized: boolean;
}

/** Packets that were not answered, by reason. */
export interface Unanswered {
  /** No STAMP packet, or too short. */
  malformed: number;
  unauthenticated: number;
  rateLimited: number;
  sessionsFull: number;
}

/** Enlarged replies per second, over all senders. */
const ENLARGED_PER_SECOND = 200;
/** A cookie is good for one to two of these. */
const COOKIE_MS = 60_000;

/**
 * What a STAMP reflector answers, without any socket. The reply is as long as the request (RFC 8762 §4.3), so that it amplifies
 * nothing; only a sender with a cookie, by which it has shown that its address is its own, may ask for more.
 */
export class Reflection {
  readonly unanswered: Unanswered = { malformed: 0, unauthenticated: 0, rateLimited: 0, sessionsFull: 0 };
  readonly sessions: Sessions;
  readonly #policy: ReflectionPolicy;
  readonly #mode: StampMode;
  readonly #secret: Buffer;
  readonly #enlarged: TokenBucket;

  /** @param secret random octets of this process, from which cookies are made */
  constructor(policy: ReflectionPolicy, secret: Buffer, nowMs: number) {
    this.#policy = policy;
    this.#mode = policy.key === null ? 'open' : 'authenticated';
    this.#secret = secret;
    this.sessions = new Sessions(policy.limits, nowMs);
    this.#enlarged = new TokenBucket(ENLARGED_PER_SECOND, nowMs);
  }

  /** Turns the packet in the slot into its reply; null when there is none. */
  reflect(arrival: StampArrival, error: ErrorEstimate): StampReply | null {
    const { slot, length, nowMs } = arrival;
    const { key, stateful } = this.#policy;
    const packet = readSender(slot, length, this.#mode);
    if (packet === null) return this.#refuse('malformed');
    if (key !== null && !verifyStamp(slot, key)) return this.#refuse('unauthenticated');
    const sequence = this.sessions.next(`${arrival.peer}${packet.ssid}`, nowMs);
    if (sequence === 'busy') return this.#refuse('rateLimited');
    if (sequence === 'full') return this.#refuse('sessionsFull');
    writeReflector(
      slot,
      {
        sequence: stateful ? sequence : packet.sequence,
        time: arrival.received,
        error,
        ssid: packet.ssid,
        received: arrival.received,
        sender: { sequence: packet.sequence, time: packet.time, error: packet.error, ttl: arrival.ttl },
      },
      this.#mode,
    );
    return this.#extend(arrival);
  }

  /** Puts T3 into the reply, and signs it where that is wanted: to be called just before it is sent. */
  seal(slot: Buffer, sent: StampTime): void {
    writeSentTime(slot, sent, this.#mode);
    if (this.#policy.key !== null) signStamp(slot, this.#policy.key);
  }

  /** Says in the reply that its interface could not carry what was wanted; returns the length to send instead. */
  tooLarge(slot: Buffer, { length, sizeAt }: NonNullable<StampReply['fallback']>): number {
    slot.writeUInt8(SIZE_STATUS.TOO_LARGE, sizeAt + TLV_HEADER_BYTES + 5);
    slot.writeUInt16BE(length, sizeAt + TLV_HEADER_BYTES + 6);
    padReply(slot, sizeAt + SIZE_TLV_BYTES, length);
    return length;
  }

  #refuse(reason: keyof Unanswered): null {
    this.unanswered[reason]++;
    return null;
  }

  /** RFC 8972 §4: all TLVs go back; U is cleared in those that are known, M set in one that claims more than there is. */
  #extend(arrival: StampArrival): StampReply {
    const { slot, length } = arrival;
    const reply: StampReply = { length, tos: 0, fallback: null, resized: false };
    for (const tlv of readTlvs(slot, stampBytes(this.#mode), length)) {
      const flags = tlv.flags & ~(TLV_FLAG.U | TLV_FLAG.M | TLV_FLAG.I);
      slot.writeUInt8(flags | this.#heed(tlv, arrival, reply), tlv.at);
      if (reply.resized) break;
    }
    return reply;
  }

  /** Does what a TLV asks for; returns the flags that it goes back with. */
  #heed(tlv: Tlv, arrival: StampArrival, reply: StampReply): number {
    if (tlv.malformed) return TLV_FLAG.M;
    if (tlv.type === TLV_TYPE.EXTRA_PADDING) return 0;
    // Without an HMAC TLV (which is not implemented) nobody vouches for the TLVs of an authenticated packet.
    if (this.#mode === 'authenticated') return TLV_FLAG.I;
    if (tlv.type === TLV_TYPE.CLASS_OF_SERVICE) return heedClassOfService(tlv, arrival, reply);
    const size = this.#policy.sizes ? readSizeTlv(arrival.slot, tlv) : null;
    if (size === null) return TLV_FLAG.U;
    this.#resize(tlv, size, arrival, reply);
    return 0;
  }

  #resize(tlv: Tlv, size: SizeTlv, arrival: StampArrival, reply: StampReply): void {
    const { slot, length, peer, nowMs } = arrival;
    const end = tlv.at + SIZE_TLV_BYTES;
    const wanted = paddable(end, Math.min(size.replyBytes, slot.length));
    const given = Buffer.from(size.cookie);
    const cookie = this.#cookie(peer, nowMs);
    if (wanted > length && !(this.#isGood(given, peer, nowMs) && this.#enlarged.take(nowMs))) {
      writeSizeTlv(slot, tlv.at, { status: SIZE_STATUS.COOKIE, replyBytes: length, cookie });
      return;
    }
    writeSizeTlv(slot, tlv.at, { status: SIZE_STATUS.DONE, replyBytes: wanted, cookie });
    padReply(slot, end, wanted);
    reply.length = wanted;
    reply.resized = true;
    if (wanted > length) reply.fallback = { length: paddable(end, length), sizeAt: tlv.at };
  }

  #isGood(given: Buffer, peer: string, nowMs: number): boolean {
    return (
      timingSafeEqual(given, this.#cookie(peer, nowMs)) || timingSafeEqual(given, this.#cookie(peer, nowMs - COOKIE_MS))
    );
  }

  #cookie(peer: string, nowMs: number): Buffer {
    const text = `${Math.floor(nowMs / COOKIE_MS)} ${peer}`;
    return createHmac('sha256', this.#secret).update(text, 'latin1').digest().subarray(0, COOKIE_BYTES);
  }
}

/** `bytes`, or as few as `end` where padding from `end` has no room for its header. */
function paddable(end: number, bytes: number): number {
  return bytes < end + TLV_HEADER_BYTES ? end : bytes;
}

/** Padding as a reflector sends it back: recognised. */
function padReply(slot: Buffer, from: number, to: number): void {
  writePadding(slot, from, to);
  if (to > from) slot.writeUInt8(0, from);
}

function heedClassOfService(tlv: Tlv, { slot, tos }: StampArrival, reply: StampReply): number {
  const cos = readCos(slot, tlv);
  if (cos === null) return TLV_FLAG.M;
  writeCos(slot, tlv.valueAt, { ...cos, receivedDscp: tos >> 2, receivedEcn: tos & 3, refused: 0 });
  reply.tos = cos.wantedDscp << 2;
  return 0;
}
