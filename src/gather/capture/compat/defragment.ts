import type { Packet } from '../../../wire/packet/packet.ts';

interface Datagram {
  /** Pieces by offset, in the order in which they came where that is the same. */
  pieces: { offset: number; octets: Buffer }[];
  /** Known when the last fragment came. */
  length: number | null;
}

/** Datagrams that wait for more at most; the oldest goes first. */
const maxDatagrams = 1024;

/** Puts IP datagrams together (RFC 815, RFC 8200 section 4.5). */
export class Defragmenter {
  #waiting = new Map<string, Datagram>();

  /**
   * Takes one fragment.
   * @returns what the datagram carries, where this was the last that was missing; else null
   */
  add(packet: Packet): Buffer | null {
    const { bytes, fragmentAt, packetEnd, fragmentOffset, moreFragments } = packet;
    const key = keyOf(packet);
    const datagram = this.#waiting.get(key) ?? { pieces: [], length: null };
    this.#waiting.set(key, datagram);
    const octets = Buffer.from(bytes.subarray(fragmentAt, packetEnd));
    const place = datagram.pieces.findIndex(({ offset }) => offset > fragmentOffset);
    datagram.pieces.splice(place < 0 ? datagram.pieces.length : place, 0, { offset: fragmentOffset, octets });
    if (!moreFragments) datagram.length ??= fragmentOffset + octets.length;
    const whole = assemble(datagram);
    if (whole) this.#waiting.delete(key);
    else if (this.#waiting.size > maxDatagrams) this.#waiting.delete(this.#waiting.keys().next().value!);
    return whole;
  }
}

function keyOf({ bytes, version, sourceAt, destinationAt, ipId, fragmentProtocol, vlan }: Packet): string {
  const size = version === 6 ? 16 : 4;
  const source = bytes.toString('latin1', sourceAt, sourceAt + size);
  const destination = bytes.toString('latin1', destinationAt, destinationAt + size);
  return `${source}${destination}${ipId}/${version === 4 ? fragmentProtocol : 0}/${vlan}`;
}

/** Where pieces overlap, what begins first is kept. */
function assemble({ pieces, length }: Datagram): Buffer | null {
  if (length === null) return null;
  let filled = 0;
  for (const { offset, octets } of pieces) {
    if (offset > filled) return null;
    filled = Math.max(filled, offset + octets.length);
  }
  if (filled < length) return null;
  const whole = Buffer.alloc(length);
  filled = 0;
  for (const { offset, octets } of pieces) {
    if (offset + octets.length <= filled || filled >= length) continue;
    octets.copy(whole, filled, filled - offset);
    filled = Math.min(length, offset + octets.length);
  }
  return whole;
}
