/**
 * DER (ITU-T X.690 §10): the writer, and a reader that takes what DER allows and nothing of what only BER allows. For the few fixed
 * shapes of X.509 and PKCS #10 that we make and take; a general ASN.1 library would accept far more than we want to.
 */

/** Octets that are not the DER that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element: tag, length (X.690 §8.1.3), content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  if (length > 0xff_ff) throw new RangeError(`Cannot write a DER element of ${length} octets: at most 65535`);
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
/** @param hex the encoded identifier, e.g. `550403` for commonName */
export const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
export const octetString = (...parts: readonly Uint8Array[]): Buffer => der(0x04, ...parts);
/** A BIT STRING of whole octets. */
export const bitString = (octets: Uint8Array): Buffer => der(0x03, Buffer.from([0]), octets);
export const boolean = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));

/** A non-negative INTEGER from its magnitude, big endian, in the fewest octets. */
export function integer(magnitude: Uint8Array): Buffer {
  let at = 0;
  while (at < magnitude.length - 1 && magnitude[at] === 0) at++;
  const short = magnitude.subarray(at);
  return (short[0] ?? 0) >= 0x80 ? der(0x02, Buffer.from([0]), short) : der(0x02, short);
}

/** UTCTime for the years up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`;
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

export interface DerElement {
  tag: number;
  content: Uint8Array;
  /** Tag, length and content. */
  whole: Uint8Array;
}

/** The one element that `octets` consist of. @throws DerError */
export function readOne(octets: Uint8Array): DerElement {
  const [element, ...more] = readAll(octets, 1);
  if (!element || more.length > 0) throw new DerError('expected exactly one element');
  return element;
}

/** The elements that follow each other in `octets`. @throws DerError for anything that is not DER, or more than `most` elements */
export function readAll(octets: Uint8Array, most = 64): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < octets.length;) {
    if (elements.length === most) throw new DerError(`more than ${most} elements`);
    const element = readAt(octets, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function readAt(octets: Uint8Array, at: number): DerElement {
  const tag = octets[at] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several octets');
  const first = octets[at + 1];
  if (first === undefined) throw new DerError('cut inside a header');
  const { length, head } = first < 0x80 ? { length: first, head: 2 } : longLength(octets, at, first);
  const end = at + head + length;
  if (end > octets.length) throw new DerError('cut inside a content');
  return { tag, content: octets.subarray(at + head, end), whole: octets.subarray(at, end) };
}

/** One or two octets of length, in the fewest: longer ones would exceed what we take anyway. */
function longLength(octets: Uint8Array, at: number, first: number): { length: number; head: number } {
  const [high, low] = [octets[at + 2], octets[at + 3]];
  if (first === 0x81 && high !== undefined && high >= 0x80) return { length: high, head: 3 };
  if (first === 0x82 && high !== undefined && high > 0 && low !== undefined)
    return { length: (high << 8) | low, head: 4 };
  throw new DerError('a length that is not DER');
}
