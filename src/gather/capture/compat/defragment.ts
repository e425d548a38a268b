import type { Packet } from '../../../wire/packet/packet.ts';

interface Datagram {
  /** Pieces by offset, in the order in which they came where that is the same. */
  pieces: { offset: number; octets: Buffer }[];
  /** Octets of all pieces, with what overlaps. */
  octets: number;
  /** Known when the last fragment came. */
  length: number | null;
}

/** What may wait for more at most, all datagrams together; the oldest goes first. */
const most = { datagrams: 1024, pieces: 32_768, octets: 16 * 1024 * 1024 };
/** No datagram has more: 65,535 octets in pieces of 8 (RFC 791). What claims to is sent again and again to fill memory. */
const mostPieces = 8192;

/** Puts IP datagrams together (RFC 815, RFC 8200 section 4.5). */
export class Defragmenter {
  readonly #waiting = new Map<string, Datagram>();
  #pieces = 0;
  #octets = 0;

  /**
   * Takes one fragment.
   * @returns what the datagram carries, where this was the last that was missing; else null
   */
  add(packet: Packet): Buffer | null {
    const { bytes, fragmentAt, packetEnd, fragmentOffset, moreFragments } = packet;
    const key = keyOf(packet);
    const datagram = this.#waiting.get(key) ?? { pieces: [], octets: 0, length: null };
    this.#waiting.set(key, datagram);
    const octets = Buffer.from(bytes.subarray(fragmentAt, packetEnd));
    const { pieces } = datagram;
    let place = pieces.length;
    while (place > 0 && pieces[place - 1]!.offset > fragmentOffset) place -= 1;
    pieces.splice(place, 0, { offset: fragmentOffset, octets });
    this.#pieces += 1;
    this.#octets += octets.length;
    datagram.octets += octets.length;
    if (!moreFragments) datagram.length ??= fragmentOffset + octets.length;
    const whole = assemble(datagram);
    if (whole || pieces.length > mostPieces) this.#forget(key, datagram);
    else this.#makeRoom();
    return whole;
  }

  /** Of what waits, for tests of its bounds. */
  get waiting(): { datagrams: number; pieces: number; octets: number } {
    return { datagrams: this.#waiting.size, pieces: this.#pieces, octets: this.#octets };
  }

  #makeRoom(): void {
    while (this.#waiting.size > most.datagrams || this.#pieces > most.pieces || this.#octets > most.octets) {
      const [key, datagram] = this.#waiting.entries().next().value!;
      this.#forget(key, datagram);
    }
  }

  #forget(key: string, { pieces, octets }: Datagram): void {
    this.#waiting.delete(key);
    this.#pieces -= pieces.length;
    this.#octets -= octets;
  }
}

function keyOf({ bytes, version, sourceAt, destinationAt, ipId, fragmentProtocol, vlan }: Packet): string {
  const size = version === 6 ? 16 : 4;
  const source = bytes.toString('latin1', sourceAt, sourceAt + size);
  const destination = bytes.toString('latin1', destinationAt, destinationAt + size);
  return `${source}${destination}${ipId}/${version === 4 ? fragmentProtocol : 0}/${vlan}`;
}

/** Where pieces overlap, what begins first is kept. */
function assemble({ pieces, octets: held, length }: Datagram): Buffer | null {
  if (length === null || held < length) return null;
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
