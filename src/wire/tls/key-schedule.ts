import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { contentType } from './code-points.ts';
import { TlsError, u16, vector8 } from './octets.ts';
import type { TlsRecord } from './records.ts';

interface Suite {
  hash: 'sha256' | 'sha384';
  hashBytes: number;
  cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  keyBytes: number;
}

const suites = new Map<number, Suite>([
  [0x13_01, { hash: 'sha256', hashBytes: 32, cipher: 'aes-128-gcm', keyBytes: 16 }],
  [0x13_02, { hash: 'sha384', hashBytes: 48, cipher: 'aes-256-gcm', keyBytes: 32 }],
  [0x13_03, { hash: 'sha256', hashBytes: 32, cipher: 'chacha20-poly1305', keyBytes: 32 }],
]);

/** The suite of a ServerHello. @throws TlsError for one that was not offered */
export function suiteOf(id: number): Suite {
  const suite = suites.get(id);
  if (!suite) throw new TlsError(`suite 0x${id.toString(16)} was chosen and not offered`);
  return suite;
}

/** RFC 5869 §2.2. */
const extract = (suite: Suite, salt: Uint8Array, secret: Uint8Array): Buffer =>
  createHmac(suite.hash, salt).update(secret).digest();

/** RFC 8446 §7.1, for outputs of at most one hash: all that a handshake needs. */
export function expandLabel(
  suite: Suite,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Buffer {
  const info = Buffer.concat([u16(length), vector8(Buffer.from(`tls13 ${label}`, 'ascii')), vector8(context)]);
  return createHmac(suite.hash, secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

export const hashOf = (suite: Suite, messages: readonly Uint8Array[]): Buffer => {
  const hash = createHash(suite.hash);
  for (const message of messages) hash.update(message);
  return hash.digest();
};

/**
 * The secret that the server's half of the handshake is protected with (RFC 8446 §7.1), without a pre-shared key.
 * @param messages ClientHello … ServerHello
 */
export function serverHandshakeSecret(suite: Suite, shared: Uint8Array, messages: readonly Uint8Array[]): Buffer {
  const zeros = Buffer.alloc(suite.hashBytes);
  const early = extract(suite, zeros, zeros);
  const derived = expandLabel(suite, early, 'derived', hashOf(suite, []), suite.hashBytes);
  const handshake = extract(suite, derived, shared);
  return expandLabel(suite, handshake, 's hs traffic', hashOf(suite, messages), suite.hashBytes);
}

/** Whether the server's Finished fits the transcript before it (RFC 8446 §4.4.4). */
export function isFinished(
  suite: Suite,
  secret: Uint8Array,
  messages: readonly Uint8Array[],
  body: Uint8Array,
): boolean {
  const key = expandLabel(suite, secret, 'finished', Buffer.alloc(0), suite.hashBytes);
  const expected = createHmac(suite.hash, key).update(hashOf(suite, messages)).digest();
  return body.length === expected.length && timingSafeEqual(body, expected);
}

const TAG = 16;

/** Opens records of one direction, in order (RFC 8446 §5.2, §5.3). */
export class RecordOpener {
  readonly #suite: Suite;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  #sequence = 0;

  constructor(suite: Suite, secret: Uint8Array) {
    this.#suite = suite;
    this.#key = expandLabel(suite, secret, 'key', Buffer.alloc(0), suite.keyBytes);
    this.#iv = expandLabel(suite, secret, 'iv', Buffer.alloc(0), 12);
  }

  /** @throws TlsError for a record that was not made with this key */
  open({ header, fragment }: TlsRecord): { type: number; content: Uint8Array } {
    if (fragment.length < TAG + 1) throw new TlsError('a protected record without content');
    const inner = this.#decrypt(header, fragment);
    let end = inner.length - 1;
    while (end >= 0 && inner[end] === 0) end--;
    if (end < 0) throw new TlsError('a protected record of padding alone');
    const type = inner[end]!;
    if (type === contentType.changeCipherSpec) throw new TlsError('a protected change_cipher_spec');
    return { type, content: inner.subarray(0, end) };
  }

  #decrypt(header: Uint8Array, fragment: Uint8Array): Buffer {
    const nonce = Buffer.from(this.#iv);
    // A handshake has far fewer than 2^32 records, so the upper half of the sequence number stays zero.
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence++) >>> 0, 8);
    // All three are AEADs with the same call; the type of Node has an overload for each.
    const cipher = this.#suite.cipher as 'aes-256-gcm';
    const decipher = createDecipheriv(cipher, this.#key, nonce, { authTagLength: TAG });
    decipher.setAAD(header);
    decipher.setAuthTag(fragment.subarray(fragment.length - TAG));
    try {
      return Buffer.concat([decipher.update(fragment.subarray(0, fragment.length - TAG)), decipher.final()]);
    } catch {
      throw new TlsError('a record that does not decrypt');
    }
  }
}
