import type { Detection, LineReader } from '../importer.ts';

export interface Endpoint {
  /** Canonical text (RFC 5952), without a zone; an IPv4 address inside IPv6 (RFC 4291 §2.5.5.2) is written as IPv4. */
  address: string;
  /** 0 where the protocol has none. */
  port: number;
}

/** Where a connection was opened from, as this source can tell. */
export type Direction =
  /** By the remote end. */
  | 'in'
  /** By this host. */
  | 'out'
  /** By nobody yet: a socket that waits; `remote` is null. */
  | 'listen'
  /** Past the observer, by `local`: flow records, forwarded traffic. */
  | 'through'
  | 'unknown';

/** What all sources' words for states come down to. */
export type ConnectionState =
  | 'listen'
  /** A UDP socket without a peer: a server, or a client that has asked something. */
  | 'bound'
  | 'opening'
  | 'established'
  | 'closing'
  | 'closed'
  /** A log line of what was let through, or kept out. */
  | 'allowed'
  | 'denied'
  /** A flow record: packets were seen. */
  | 'seen'
  | 'unknown';

/** One connection or listening socket, as one source shows it. */
export interface Connection {
  /** `tcp`, `udp`, `icmp`, `icmpv6`, `sctp`, or the number of another one as text. */
  protocol: string;
  local: Endpoint;
  remote: Endpoint | null;
  direction: Direction;
  state: ConnectionState;
  /** When, ms since the epoch: of the record where it has a time, else of the reading; null: nobody knows. */
  atMs: number | null;
  /** How it was obtained: the source's name and what was concluded from what. */
  how: string;
  line: number;
  /** Octets from `local` to `remote` and back, where the source counts them. */
  bytesOut?: number;
  bytesIn?: number;
  process?: string;
  /** Where the opener wanted to go, when address translation sent it elsewhere. */
  translatedFrom?: Endpoint;
}

export const connectionFormats = [
  'proc-net',
  'ss',
  'conntrack',
  'windows-json',
  'windows-csv',
  'netstat',
  'pfirewall',
  'flow-csv',
] as const;
export type ConnectionFormat = (typeof connectionFormats)[number];

export interface ReadContext {
  /** What the text is called in `how` and in mistakes. */
  source: string;
  /** When the text was written, for records without a time; null: unknown. */
  atMs: number | null;
  /** Zone of local times, minutes east of UTC. */
  zoneMinutes: number;
}

export interface ConnectionSink {
  connection(one: Connection): void;
  mistake(line: number, key: string, message: string): void;
  /** Something to know that is no mistake. */
  note(line: number, message: string): void;
  /** A time about which the source says itself that it missed something. */
  gap(line: number, atMs: number | null, message: string): void;
}

/** Reads one kind of text line by line and throws at nothing. One file beside this, one line in readers.ts. */
export interface ConnectionReader {
  format: ConnectionFormat;
  about: string;
  detect(head: string): Detection;
  open(context: ReadContext, sink: ConnectionSink): LineReader;
}
