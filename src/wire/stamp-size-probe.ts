import { IPPROTO_UDP, SOCK_DGRAM } from './abi.ts';
import { StampedSocket } from './error-queue.ts';
import { describeIcmp, isPortUnreachable } from './icmp.ts';
import { memory } from './libc.ts';
import type { ControlMessages } from './msghdr.ts';
import {
  connectUnfragmented,
  DEFAULT_HOPS,
  ipHeaderBytes,
  sendUnlessPending,
  type SizeEvents,
  type SizeProbe,
  tellIcmp,
  UDP_HEADER_BYTES,
} from './size-probe.ts';
import { errorEstimate, readReflector, STAMP_BYTES, writeSender } from './stamp.ts';
import {
  COOKIE_BYTES,
  findSizeTlv,
  SIZE_STATUS,
  SIZE_TLV_BYTES,
  TLV_HEADER_BYTES,
  writePadding,
  writeSizeTlv,
} from './stamp-tlv.ts';

/**
 * Packets of an exact size to and from our STAMP reflector, so that each direction is measured by itself: forward, large
 * requests want the smallest reply; reverse, the smallest request wants a large reply, for which the reflector first hands out
 * a cookie. See SizeTlv. Both directions share one socket, since the cookie belongs to its address and port.
 */
export interface StampSizeProbe {
  forward: SizeProbe;
  reverse: SizeProbe;
  /** Whether the reflector knows the "reply size" TLV; null before its first answer. If not, replies are as large as requests. */
  heedsSize(): boolean | null;
  close(): void;
}

/** A limit of the reflector's own interface, which it tells in its reply. */
export const REFLECTOR = "the reflector's own interface";

/** The smallest packet with the TLV; behind it padding takes none or at least a header. */
const LEAST_BYTES = STAMP_BYTES + SIZE_TLV_BYTES;
/** Upper half of the sequence number: tells the directions apart, and our packets from anything else. */
const MARK = { forward: 0x4d46, reverse: 0x4d52 } as const;
type Direction = keyof typeof MARK;

/** @throws SystemCallError */
export function openStampSizeProbe(address: string, family: 4 | 6, port: number, maxBytes: number): StampSizeProbe {
  const socket = connectUnfragmented(new StampedSocket(family, SOCK_DGRAM, IPPROTO_UDP, 'rx'), address, port);
  return new StampSizes(socket, address, port, maxBytes);
}

class StampSizes implements StampSizeProbe {
  readonly forward: SizeProbe;
  readonly reverse: SizeProbe;
  readonly #socket: StampedSocket;
  readonly #address: string;
  readonly #payload: Buffer;
  readonly #error = errorEstimate(1, false);
  readonly #cookie = Buffer.alloc(COOKIE_BYTES);
  /** Payload that was asked of the reflector, by sequence number. */
  readonly #wanted = new Uint16Array(0x10000);
  /** Requests that were sent once more with a cookie: no more than once each. */
  readonly #again = new Set<number>();
  #heeds: boolean | null = null;
  #hopsNow: number | undefined;

  constructor(socket: StampedSocket, address: string, port: number, maxBytes: number) {
    this.#socket = socket;
    this.#address = address;
    this.#payload = memory(Math.max(maxBytes, LEAST_BYTES));
    this.forward = this.#side('forward', port);
    this.reverse = this.#side('reverse', port);
  }

  heedsSize(): boolean | null {
    return this.#heeds;
  }

  close(): void {
    this.#socket.close();
  }

  #side(direction: Direction, port: number): SizeProbe {
    const overhead = ipHeaderBytes(this.#socket.family) + UDP_HEADER_BYTES;
    return {
      how: `STAMP to port ${port}, ${direction === 'forward' ? 'large requests with small replies' : 'small requests with large replies'}`,
      kind: 'stamp',
      headerBytes: overhead + LEAST_BYTES,
      send: ({ sequence, sizeBytes, hops }) => {
        if (sizeBytes < overhead + LEAST_BYTES || sizeBytes - overhead > this.#payload.length)
          throw new RangeError(`Cannot send ${sizeBytes} octets: ${overhead + LEAST_BYTES} at least are possible`);
        if (hops !== this.#hopsNow) this.#socket.setHopLimit(hops ?? DEFAULT_HOPS);
        this.#hopsNow = hops;
        // One to three octets of padding do not exist: what is a little larger vouches for what was asked, too.
        const payload = sizeBytes - overhead;
        const padded = payload > LEAST_BYTES ? Math.max(payload, LEAST_BYTES + TLV_HEADER_BYTES) : payload;
        this.#wanted[sequence & 0xffff] = direction === 'forward' ? LEAST_BYTES : padded;
        this.#again.delete(sequence);
        this.#send(direction, sequence, direction === 'forward' ? padded : LEAST_BYTES);
      },
      drain: (events) => this.#drain(direction, events),
      close: () => this.close(),
    };
  }

  #send(direction: Direction, sequence: number, length: number): void {
    const packet = {
      sequence: ((MARK[direction] << 16) | (sequence & 0xffff)) >>> 0,
      // The times are not used: sizes are measured, and the clock of nobody has to be right for that.
      time: { sec: 0, nsec: 0 },
      error: this.#error,
      ssid: 0,
    };
    const payload = this.#payload.subarray(0, length);
    const at = writeSender(payload, packet);
    const replyBytes = this.#wanted[sequence & 0xffff] ?? LEAST_BYTES;
    const end = writeSizeTlv(payload, at, { status: SIZE_STATUS.ASKED, replyBytes, cookie: this.#cookie });
    writePadding(payload, end, length);
    sendUnlessPending(this.#socket, this.#payload, length, sequence, this.#address);
  }

  #drain(direction: Direction, events: SizeEvents): void {
    const { family, message } = this.#socket;
    this.#socket.drain({
      transmitted: () => undefined,
      received: (bytes) => this.#answered(direction, bytes, events),
      icmpError: (control, bytes) => {
        const sequence = bytes >= 4 ? sequenceOf(message.data.readUInt32BE(0), direction) : null;
        this.#said(control, sequence, family, events);
      },
    });
  }

  #said(control: ControlMessages, sequence: number | null, family: 4 | 6, events: SizeEvents): void {
    const { errorType, errorCode, offender } = control;
    if (!isPortUnreachable(family, errorType, errorCode))
      return tellIcmp(control, sequence, this.#address, family, events);
    const message = `no STAMP reflector there: ${describeIcmp(family, errorType, errorCode)}`;
    events.unreachable(sequence, offender ?? 'unknown', message);
  }

  #answered(direction: Direction, bytes: number, events: SizeEvents): void {
    const { data } = this.#socket.message;
    const reply = readSizeReply(data, bytes, direction);
    if (reply === null) return;
    const { sequence, size } = reply;
    this.#heeds = size !== null && size.recognised;
    // The reply is as large as the request: it vouches for the way there, and for the way back as well.
    if (size === null || !size.recognised) return direction === 'forward' ? events.arrived(sequence) : undefined;
    size.cookie.copy(this.#cookie);
    if (direction === 'forward') return events.arrived(sequence);
    if (size.status === SIZE_STATUS.TOO_LARGE) return events.tooBig(sequence, REFLECTOR, null);
    if (size.status === SIZE_STATUS.COOKIE) return this.#sendAgain(sequence);
    // The length is checked against what really came, as far as the buffer holds it.
    const wanted = this.#wanted[sequence & 0xffff] ?? 0;
    const came = bytes >= Math.min(wanted, data.length);
    if (size.status === SIZE_STATUS.DONE && size.replyBytes >= wanted && came) events.arrived(sequence);
  }

  /** The reflector wanted a cookie first, or a newer one. */
  #sendAgain(sequence: number): void {
    if (this.#again.has(sequence)) return;
    this.#again.add(sequence);
    try {
      this.#send('reverse', sequence, LEAST_BYTES);
    } catch {
      // It stays unanswered, and is asked again like any other.
    }
  }
}

/** A reply to a packet of ours in this direction, and what it says about its size; null for anything else. Never throws. */
export function readSizeReply(
  data: Buffer,
  bytes: number,
  direction: Direction,
): { sequence: number; size: ReturnType<typeof findSizeTlv> } | null {
  const reply = readReflector(data, bytes);
  const sequence = reply === null ? null : sequenceOf(reply.sender.sequence, direction);
  return sequence === null ? null : { sequence, size: findSizeTlv(data, STAMP_BYTES, Math.min(bytes, data.length)) };
}

/** The sequence number in the lower half, when the upper half is the mark of this direction. */
function sequenceOf(field: number, direction: Direction): number | null {
  return field >>> 16 === MARK[direction] ? field & 0xffff : null;
}
