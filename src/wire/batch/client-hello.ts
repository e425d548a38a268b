const HANDSHAKE = 0x16;
const ALERT = 0x15;
/** Octets before what a record carries: type, version, length (RFC 8446 §5.1). */
export const RECORD_HEADER_BYTES = 5;
/** TLS 1.3 allows 256 octets more than the text, TLS 1.2 2048 (RFC 5246 §6.2.3). */
const RECORD_MAX = 2 ** 14 + 2048;
/** Where the 32 random octets stand: behind the headers of record and handshake and the version. */
const RANDOM_AT = RECORD_HEADER_BYTES + 4 + 2;
const RANDOM_BYTES = 32;

/**
 * A ClientHello in a record of its own (RFC 8446 §4.1.2) that brings no key share: a server of TLS 1.3 answers by a
 * HelloRetryRequest, before any signature or key exchange, an older one by an alert, both in one segment.
 * So the answer costs the server as little as an answer of its TLS can, and its only packet is its first.
 * @param serverName for the server_name extension (RFC 6066 §3), which has no place for addresses
 */
export function clientHello(serverName?: string): Buffer {
  const extensions = Buffer.concat([
    ...(serverName === undefined
      ? []
      : [extension(0, sized(Buffer.concat([bytes(0), sized(Buffer.from(serverName))])))]),
    extension(10, sized(words(0x001d, 0x0017, 0x0018))), // supported_groups: x25519, secp256r1, secp384r1
    extension(13, sized(words(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0807))), // signature_algorithms
    extension(43, Buffer.concat([bytes(2), words(0x0304)])), // supported_versions: TLS 1.3
    extension(51, sized(Buffer.alloc(0))), // key_share: none, "to request group selection from the server" (§4.2.8)
  ]);
  const body = Buffer.concat([
    words(0x0303),
    Buffer.alloc(RANDOM_BYTES),
    bytes(0), // no session
    sized(words(0x1301, 0x1302, 0x1303)),
    bytes(1, 0), // no compression
    sized(extensions),
  ]);
  const handshake = Buffer.concat([bytes(1, 0), sized(body)]);
  return Buffer.concat([bytes(HANDSHAKE), words(0x0301), sized(handshake)]);
}

/** Gives a ClientHello other random octets, so that no two are the same. */
export function renewRandom(hello: Buffer): void {
  // The global one loads OpenSSL's bindings when it is first used, an import would for every ping.
  crypto.getRandomValues(hello.subarray(RANDOM_AT, RANDOM_AT + RANDOM_BYTES));
}

/** Whether five octets begin a record that a server may answer a ClientHello with: of a handshake or an alert. */
export function isAnswerRecord(header: Uint8Array): boolean {
  const length = header[3]! * 256 + header[4]!;
  return (header[0] === HANDSHAKE || header[0] === ALERT) && header[1] === 3 && length > 0 && length <= RECORD_MAX;
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([words(type), sized(content)]);
}

/** Behind its length in two octets. */
function sized(content: Buffer): Buffer {
  return Buffer.concat([words(content.length), content]);
}

function words(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function bytes(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}
