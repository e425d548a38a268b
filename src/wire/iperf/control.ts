/**
 * iperf3's control protocol, as bytes: one TCP connection carries a cookie, one-octet states and JSON texts behind a length,
 * without any framing that tells them apart, so both sides must read strictly in sequence. Read off stock iperf3 3.12.
 * https://github.com/esnet/iperf is the only specification there is.
 */
export const iperfState = {
  testStart: 1,
  testRunning: 2,
  testEnd: 4,
  paramExchange: 9,
  createStreams: 10,
  serverTerminate: 11,
  clientTerminate: 12,
  exchangeResults: 13,
  displayResults: 14,
  iperfDone: 16,
  accessDenied: -1,
  serverError: -2,
} as const;

/** The state's own name in iperf3's source, for messages. */
export function stateName(state: number): string {
  const found = Object.entries(iperfState).find(([, value]) => value === state);
  return found ? found[0].replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase() : `state ${state}`;
}

/** 36 characters and a NUL: the first octets of every TCP connection of a test, control and data alike. */
export const COOKIE_BYTES = 37;
const COOKIE_ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** @param random uniform in [0, 1) */
export function makeCookie(random: () => number): string {
  let cookie = '';
  while (cookie.length < COOKIE_BYTES - 1) cookie += COOKIE_ALPHABET[Math.floor(random() * 32)];
  return cookie;
}

export function encodeCookie(cookie: string): Buffer {
  const bytes = Buffer.alloc(COOKIE_BYTES);
  bytes.write(cookie, 0, COOKIE_BYTES - 1, 'latin1');
  return bytes;
}

/**
 * The cookie in the first 37 octets; null when they are none. Any printable characters are taken, because clients other than
 * iperf3's own use other alphabets.
 */
export function decodeCookie(bytes: Uint8Array): string | null {
  if (bytes.length < COOKIE_BYTES || bytes[COOKIE_BYTES - 1] !== 0) return null;
  for (let i = 0; i < COOKIE_BYTES - 1; i++) if (bytes[i]! < 0x21 || bytes[i]! > 0x7e) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, COOKIE_BYTES - 1).toString('latin1');
}

/** What a peer may send at most. iperf3's server itself refuses parameters beyond 8 KiB; results have no bound of its own. */
export const PARAMETERS_MAX_BYTES = 8 << 10;
export const RESULTS_MAX_BYTES = 1 << 20;
const DEPTH_MAX = 16;

/** The peer said what the protocol does not allow. */
export class IperfProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IperfProtocolError';
  }
}

/** Length in network order, then the text; no terminator. */
export function encodeJson(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const framed = Buffer.alloc(4 + text.length);
  framed.writeUInt32BE(text.length, 0);
  text.copy(framed, 4);
  return framed;
}

/** @throws IperfProtocolError for what is no JSON object, or is nested beyond reason */
export function decodeJson(bytes: Uint8Array): Record<string, unknown> {
  // Some senders count a terminating NUL.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').replace(/\0+$/, '');
  if (depthOf(text) > DEPTH_MAX) throw new IperfProtocolError('JSON is nested too deep');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new IperfProtocolError('JSON does not parse');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new IperfProtocolError('JSON is no object');
  return value as Record<string, unknown>;
}

/** An upper bound of the nesting: brackets inside of strings count too, and only openings matter. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth = Math.max(0, depth - 1);
  }
  return deepest;
}

/** What comes behind SERVER_ERROR: iperf3's own error number and errno. */
export function encodeServerError(code: number, errno: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeInt8(iperfState.serverError, 0);
  bytes.writeInt32BE(code, 1);
  bytes.writeInt32BE(errno, 5);
  return bytes;
}

/** Both sides number streams as they are created: 1, 3, 4, 5, …; 2 is never used. */
export function streamId(index: number): number {
  return index === 0 ? 1 : index + 2;
}

/**
 * Octets in the order in which they came, taken in pieces of known size: a state and a JSON text may arrive in one read, or one
 * of them in many.
 */
export class ControlReader {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  /** Octets that wait to be taken. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next `count` octets; null while there are fewer. */
  take(count: number): Buffer | null {
    if (this.#bytes < count) return null;
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks.length = 0;
    if (all.length > count) this.#chunks.push(all.subarray(count));
    this.#bytes -= count;
    return all.subarray(0, count);
  }
}
