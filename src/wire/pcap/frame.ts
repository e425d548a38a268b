/**
 * The one frame that a reader fills again and again: no objects are made per packet. `bytes` belongs to the reader and holds until
 * octets are pushed to it next.
 */
export interface Frame {
  bytes: Buffer;
  /** Where the captured octets lie in `bytes`. */
  start: number;
  end: number;
  /** Octets that it had on the wire. */
  originalLength: number;
  /** Time since the epoch; nanoseconds below one second. Both 0 where `hasTime` is false. */
  seconds: number;
  nanoseconds: number;
  hasTime: boolean;
  /** LINKTYPE_ value of the tcpdump.org registry. */
  linkType: number;
  /** Octets of frame check sequence at the end of the original frame, where the file says so. */
  fcsBytes: number;
  interfaceId: number;
  /** Where its record or block begins in the file. */
  offset: number;
}

export function newFrame(): Frame {
  return {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    originalLength: 0,
    seconds: 0,
    nanoseconds: 0,
    hasTime: false,
    linkType: 0,
    fcsBytes: 0,
    interfaceId: 0,
    offset: 0,
  };
}

/** Most octets of one packet: what the usual tools accept. More is a sign of a length field that lies. */
export const maxPacketBytes = 262_144;

/** A file that cannot be read on from `offset`; what came before holds. */
export class CaptureError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.name = 'CaptureError';
    this.offset = offset;
  }
}

/** Reads one format out of octets that come in pieces. */
export interface FormatReader {
  /**
   * Looks at the octets from `at` on, of which `end` is the first that is not there yet. Fills `frame` where a packet is whole.
   * @returns octets that are done with; 0 where it needs more than are there
   * @throws CaptureError where the octets cannot be what they should be
   */
  step(bytes: Buffer, at: number, end: number, offset: number, frame: Frame): number;
  /** Whether the last step filled the frame. */
  hasFrame: boolean;
  /** Octets to throw away unseen after those of the last step; a reader sets it for what it does not know. */
  skipBytes: number;
  /** Packets that the capture itself says it lost, as far as it says so. */
  drops: number;
}
