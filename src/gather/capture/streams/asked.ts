/** What a client asked for, as its records show it; over HTTP/2 it may be several requests at once. */
export interface Asked {
  startMs: number;
  endMs: number;
  bytes: number;
  /** Where it ends in the stream of the client. */
  endOffset: number;
  /** At least so many, if several may go on at once. */
  requests: number;
  /** Of the last of them: how many records, and the size of the last one. */
  records: number;
  lastBytes: number;
}

/** A record of the client that carries a request or a part of one. */
export interface AskedRecord {
  atMs: number;
  bytes: number;
  endOffset: number;
}

export const newAsked = ({ atMs, bytes, endOffset }: AskedRecord): Asked => ({
  startMs: atMs,
  endMs: atMs,
  bytes,
  endOffset,
  requests: 1,
  records: 1,
  lastBytes: bytes,
});

/** HEADERS of HTTP/2 are no longer than this where they come alone; what is longer has the body, too. */
const maxHeaderBytes = 1500;
/** A body that goes on fills its frames (2^14), the blocks that it was read in, or the packets that its sender fits records to. */
const isFull = (bytes: number): boolean =>
  bytes >= 16_000 || (bytes >= 1150 && bytes <= 1460) || (bytes >= 4096 && bytes % 4096 <= 41);
/** Between the records of one request there is no more than a round trip, in which a window opens. */
const pauses = { ms: 50, roundTrips: 1.5 } as const;

/** The record belongs to what was asked before it, or begins another request. */
export function extendAsked(asked: Asked, record: AskedRecord, roundTripMs: number): void {
  if (isAnother(asked, record.atMs, roundTripMs)) {
    asked.requests++;
    asked.records = 0;
  }
  asked.endMs = record.atMs;
  asked.bytes += record.bytes;
  asked.endOffset = record.endOffset;
  asked.records++;
  asked.lastBytes = record.bytes;
}

function isAnother({ endMs, records, lastBytes }: Asked, atMs: number, roundTripMs: number): boolean {
  if (atMs - endMs > Math.max(pauses.ms, pauses.roundTrips * roundTripMs)) return true;
  const isWhole = records > 1 || lastBytes > maxHeaderBytes;
  return isWhole && !isFull(lastBytes);
}
