import { addressOf, memory } from '../libc.ts';

/**
 * An array of struct mmsghdr for sendmmsg(2) and recvmmsg(2) with everything it points to, laid out once: slot i owns the i-th
 * stretch of `data`, `names` and `control`. The hot loops read and write it through typed arrays, so a packet costs no
 * allocation; 64-bit little-endian Linux.
 */
export class MessageBatch {
  readonly slots: number;
  readonly dataBytes: number;
  readonly headers: Buffer;
  readonly data: Uint8Array;
  readonly data32: Uint32Array;
  readonly names32: Uint32Array;
  readonly control: Uint8Array;
  readonly control32: Uint32Array;
  readonly #headers32: Uint32Array;
  readonly #controlBytes: number;
  readonly #iovecs32: Uint32Array;
  #used = 0;

  /** Octets of a slot's data and control have to be multiples of 4. */
  constructor(slots: number, dataBytes: number, controlBytes: number) {
    this.slots = slots;
    this.dataBytes = dataBytes;
    this.#controlBytes = controlBytes;
    this.headers = memory(slots * MMSGHDR_BYTES);
    const data = memory(slots * dataBytes);
    const names = memory(slots * NAME_BYTES);
    const control = memory(slots * controlBytes);
    const iovecs = memory(slots * IOVEC_WORDS * 4);
    this.data = new Uint8Array(data.buffer);
    this.data32 = new Uint32Array(data.buffer);
    this.names32 = new Uint32Array(names.buffer);
    this.control = new Uint8Array(control.buffer);
    this.control32 = new Uint32Array(control.buffer);
    this.#iovecs32 = new Uint32Array(iovecs.buffer);
    this.#headers32 = new Uint32Array(this.headers.buffer);
    // Thousands of pointers, so by words: a BigInt each would take longer than a sweep of a thousand targets.
    const pointers = (into: Uint32Array, word: number, stride: number, to: Buffer, step: number) => {
      const address = Number(addressOf(to));
      for (let i = 0; i < slots; i++) writePointer(into, word + i * stride, address + i * step);
    };
    pointers(this.#iovecs32, 0, IOVEC_WORDS, data, dataBytes);
    pointers(this.#headers32, NAME, HEADER_WORDS, names, NAME_BYTES);
    pointers(this.#headers32, IOVECS, HEADER_WORDS, iovecs, IOVEC_WORDS * 4);
    pointers(this.#headers32, CONTROL, HEADER_WORDS, control, controlBytes);
    for (let i = 0; i < slots; i++) this.#headers32[i * HEADER_WORDS + IOVECS_COUNT] = 1;
    this.#used = slots;
    this.rearm();
  }

  /** Notes that recvmmsg overwrote the lengths of the first `count` slots. */
  received(count: number): void {
    this.#used = count;
  }

  /** Says again that all room is free, of the slots that the last recvmmsg used. */
  rearm(): void {
    const headers = this.#headers32;
    for (let i = 0; i < this.#used; i++) {
      headers[i * HEADER_WORDS + NAME_LENGTH] = NAME_BYTES;
      headers[i * HEADER_WORDS + CONTROL_LENGTH] = this.#controlBytes;
      this.#iovecs32[i * IOVEC_WORDS + 2] = this.dataBytes;
    }
    this.#used = 0;
  }

  /** What is to be sent from a slot: octets of its packet, of its address and of its control messages. */
  setLengths(slot: number, dataBytes: number, nameBytes: number, controlBytes: number): void {
    this.#headers32[slot * HEADER_WORDS + NAME_LENGTH] = nameBytes;
    this.#headers32[slot * HEADER_WORDS + CONTROL_LENGTH] = controlBytes;
    this.setDataLength(slot, dataBytes);
  }

  /** Changes only the octets of its packet. */
  setDataLength(slot: number, dataBytes: number): void {
    this.#iovecs32[slot * IOVEC_WORDS + 2] = dataBytes;
  }

  /** Octets that recvmmsg put into a slot, never more than it holds. */
  receivedBytes(slot: number): number {
    return Math.min(this.#headers32[slot * HEADER_WORDS + MESSAGE_LENGTH]!, this.dataBytes);
  }

  controlLength(slot: number): number {
    return Math.min(this.#headers32[slot * HEADER_WORDS + CONTROL_LENGTH]!, this.#controlBytes);
  }

  /** Index of a slot's control messages in `control32`. */
  controlWord(slot: number): number {
    return (slot * this.#controlBytes) >>> 2;
  }
}

export const MMSGHDR_BYTES = 64;
export const NAME_BYTES = 32; // holds a sockaddr_in6
export const NAME_WORDS = NAME_BYTES / 4;

// struct mmsghdr in 32-bit words
const HEADER_WORDS = MMSGHDR_BYTES / 4;
const NAME = 0;
const NAME_LENGTH = 2;
const IOVECS = 4;
const IOVECS_COUNT = 6;
const CONTROL = 8;
const CONTROL_LENGTH = 10;
const MESSAGE_LENGTH = 14;
const IOVEC_WORDS = 4;

/** A user address has at most 48 bits, so a double holds it. */
function writePointer(words: Uint32Array, at: number, address: number): void {
  words[at] = address % 2 ** 32;
  words[at + 1] = address / 2 ** 32;
}
