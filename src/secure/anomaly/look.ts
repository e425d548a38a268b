import { withPort } from '../../stats/address.ts';

/** Connections of one kind between two addresses, counted: the part of a snapshot's flow that the rules read. */
export interface SeenFlow {
  from: string;
  to: string;
  protocol: string;
  /** Port that was called. */
  port: number;
  direction: 'in' | 'out' | 'through';
  /** How often it was seen. */
  seen: number;
  /** Octets from the opener and back, where they were counted. */
  bytesOut?: number | undefined;
  bytesIn?: number | undefined;
}

/** A socket that waits for others. */
export interface SeenListener {
  protocol: string;
  address: string;
  port: number;
  /** False where it may be a client that waits for its answer. */
  certain: boolean;
}

/** What one endpoint agreed on in TLS; null is what nobody could see. */
export interface SeenTls {
  endpoint: string;
  verdict: string;
  isPostQuantum: boolean | null;
  group: string | null;
  /** SHA-256 of the public key of the certificate, hex. */
  keySha256: string | null;
  notAfter: string | null;
}

/** How an inference server answers those who show no key. */
export interface SeenAccess {
  /** `address:port`. */
  server: string;
  engine: string;
  authentication: 'none' | 'partial' | 'enforced' | 'unknown';
  openPaths: readonly string[];
}

/** What was seen at one time by one kind of looking. */
export interface Look {
  /** Name of the document that it came from. */
  name: string;
  atMs: number;
  /** Times that the sockets were listed in it; 0 for logs and records, which miss nothing between. */
  samples: number;
  connections: { flows: readonly SeenFlow[]; listeners: readonly SeenListener[] } | null;
  tls: readonly SeenTls[] | null;
  access: readonly SeenAccess[] | null;
}

export type LookKind = 'connections' | 'tls' | 'access';

/** A service: who is called, and how. */
export const serviceOf = ({ to, protocol, port }: SeenFlow): string => `${withPort(to, port)}/${protocol}`;

/** Words for how often was looked before: what a "never" stands on. */
export const looksInWords = (count: number): string => (count === 1 ? 'one earlier look' : `${count} earlier looks`);
