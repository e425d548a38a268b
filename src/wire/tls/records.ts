import { contentType } from './code-points.ts';
import { TlsError, u16, u8 } from './octets.ts';

const HEADER = 5;
/** Largest fragment that may be sent (RFC 8446 §5.1), and largest that may come (§5.2). */
const maxPlaintext = 1 << 14;
const maxFragment = maxPlaintext + 256;
/** A handshake of a server larger than this is no handshake; a chain of three ML-DSA-87 certificates is a tenth of it. */
export const maxHandshakeBytes = 256 * 1024;

/** One record (RFC 8446 §5.1). */
export interface TlsRecord {
  type: number;
  /** The five octets before the fragment: additional data of its protection. */
  header: Uint8Array;
  fragment: Uint8Array;
}

/** A fragment in records of at most 16 KiB. @param version legacy_record_version: 0x0301 for a first ClientHello, else 0x0303 */
export function writeRecords(type: number, payload: Uint8Array, version: number): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += maxPlaintext) {
    const fragment = payload.subarray(at, at + maxPlaintext);
    parts.push(u8(type), u16(version), u16(fragment.length), fragment);
  }
  return Buffer.concat(parts);
}

/** Cuts a stream into records, whatever pieces it comes in. Memory: one record. */
export class RecordReader {
  readonly #pending = Buffer.alloc(HEADER + maxFragment);
  #length = 0;
  #total = 0;

  /** Octets taken so far. */
  get total(): number {
    return this.#total;
  }

  /** The records that are complete now. @throws TlsError for what is no TLS, or too much of it */
  *read(chunk: Uint8Array): Generator<TlsRecord> {
    let rest = chunk;
    while (rest.length > 0) {
      const wanted = this.#wanted() - this.#length;
      const part = rest.subarray(0, wanted);
      this.#pending.set(part, this.#length);
      this.#length += part.length;
      this.#total += part.length;
      rest = rest.subarray(part.length);
      if (this.#total > maxHandshakeBytes) throw new TlsError(`more than ${maxHandshakeBytes} octets of handshake`);
      if (this.#length < HEADER || this.#length < this.#wanted()) continue;
      const record = Buffer.from(this.#pending.subarray(0, this.#length));
      this.#length = 0;
      yield { type: record[0]!, header: record.subarray(0, HEADER), fragment: record.subarray(HEADER) };
    }
  }

  /** Octets of header, or of header and fragment once the header says. */
  #wanted(): number {
    if (this.#length < HEADER) return HEADER;
    const type = this.#pending[0]!;
    const isTls = type >= contentType.changeCipherSpec && type <= contentType.applicationData && this.#pending[1] === 3;
    if (!isTls) throw new TlsError('the answer is no TLS record');
    const length = this.#pending.readUInt16BE(3);
    if (length > maxFragment) throw new TlsError(`a record of ${length} octets; allowed: ${maxFragment}`);
    return HEADER + length;
  }
}

/** One handshake message: its type, its body, and both with the header, as the transcript takes it. */
export interface Message {
  type: number;
  body: Uint8Array;
  whole: Uint8Array;
}

/** Puts handshake messages together that come in fragments (RFC 8446 §5.1). */
export class MessageReader {
  #pending: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Whether part of a message is waiting for the rest. */
  get isInside(): boolean {
    return this.#length > 0;
  }

  *read(fragment: Uint8Array): Generator<Message> {
    this.#append(fragment);
    for (let length = this.#messageLength(); length !== null; length = this.#messageLength()) {
      const whole = Buffer.from(this.#pending.subarray(0, length));
      this.#pending.copyWithin(0, length, this.#length);
      this.#length -= length;
      yield { type: whole[0]!, body: whole.subarray(4), whole };
    }
  }

  #append(fragment: Uint8Array): void {
    const needed = this.#length + fragment.length;
    if (needed > maxHandshakeBytes) throw new TlsError(`a handshake of more than ${maxHandshakeBytes} octets`);
    if (needed > this.#pending.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.#pending.length, 4096));
      this.#pending.copy(larger, 0, 0, this.#length);
      this.#pending = larger;
    }
    this.#pending.set(fragment, this.#length);
    this.#length = needed;
  }

  #messageLength(): number | null {
    if (this.#length < 4) return null;
    const length = 4 + this.#pending.readUIntBE(1, 3);
    if (length > maxHandshakeBytes)
      throw new TlsError(`a message of ${length} octets; at most ${maxHandshakeBytes} are read`);
    return length <= this.#length ? length : null;
  }
}
