/** What stands at the cursor. A layer is a function that moves the cursor and says what comes next. */
export const layer = {
  /** Nothing further that can be read; the packet is as it was filled last. */
  stop: 0,
  ethernet: 1,
  /** By `cursor.type`, a number of the EtherType registry. */
  etherType: 2,
  /** By the version in the first octet. */
  ip: 3,
  /** By `cursor.type`, a number of the protocols registry. */
  transport: 4,
  llc: 5,
  ppp: 6,
  mpls: 7,
} as const;

/**
 * Where the decoder is. Three ends, because three things can be shorter than the rest: what was captured, what the frame had on the
 * wire, and what the innermost header with a length says.
 */
export interface Cursor {
  at: number;
  /** First octet that is not captured, or not of this layer any more. */
  end: number;
  /** First octet behind this layer by its own length field, which may claim more than the frame had. */
  saidEnd: number;
  /** The same, but never behind what the frame had on the wire. */
  wireEnd: number;
  type: number;
  tunnel: number;
  vlan: number;
  outer: number;
  inError: boolean;
  /** IP headers so far: from the second on, there is something around it. */
  ipHeaders: number;
}

export function newCursor(): Cursor {
  return {
    at: 0,
    end: 0,
    saidEnd: 0,
    wireEnd: 0,
    type: 0,
    tunnel: 0,
    vlan: -1,
    outer: 0,
    inError: false,
    ipHeaders: 0,
  };
}

/** Mixes the id of a network that is around the packet into the hash; never gives 0, which is no network at all. */
export function mixTunnel(cursor: Cursor, kind: number, id: number): void {
  let hash = Math.imul(cursor.tunnel ^ Math.imul(kind, 0x9e37_79b1), 0x85eb_ca6b) ^ id;
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35);
  hash ^= hash >>> 13;
  cursor.tunnel = hash === 0 ? 1 : hash;
}

export const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

export const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
