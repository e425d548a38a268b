import { type SequenceState, sequenceTracker } from './sequence.ts';

export type ExportFormat = 'netflow-v5' | 'netflow-v9' | 'ipfix' | 'sflow-v5';

/** What the numbers of each format count, and so the unit of what is lost. */
export const sequenceUnits: Readonly<Record<ExportFormat, 'flows' | 'messages' | 'records' | 'datagrams'>> = {
  'netflow-v5': 'flows',
  'netflow-v9': 'messages',
  ipfix: 'records',
  'sflow-v5': 'datagrams',
};

/**
 * One series of messages: a transport session of an exporter (its address and port; a restarted exporter mostly comes from another
 * port) and an observation domain, source id or engine in it. Templates, numbers and sampling are its own (RFC 7011 §8, §10.3).
 */
export interface ExportSession {
  key: string;
  format: ExportFormat;
  address: string;
  port: number;
  /** Observation domain (IPFIX), source id (v9), engine type × 256 + id (v5), sub-agent (sFlow). */
  domain: number;
  /** The agent that an sFlow datagram names, which may have come by another address; '' for the others. */
  agent: string;
  messages: number;
  flows: number;
  /** Records that tell of no traffic between two addresses: options, events of address translation, link layers. */
  otherRecords: number;
  /** Those of them that are options. */
  optionRecords: number;
  /** Messages, sets or records that end before they should. */
  malformed: number;
  templates: number;
  /** Sets of records whose template never came, or too late. */
  unread: number;
  /** Packets that sFlow agents could not sample for want of resources. */
  samplesDropped: number;
  /** When its first and last message came. */
  firstMs: number;
  lastMs: number;
  sequence: SequenceState;
  tracker: ReturnType<typeof sequenceTracker>;
  /** One packet in so many, by sampler; −1: where flows name none. */
  sampling: Map<number, number>;
  /** When the exporter's uptime was 0, as its last message says (v5, v9, sFlow) or its options (IPFIX). */
  bootMs: number;
  epochs: { data: number; options: number };
  /** How an IPFIX exporter numbers: its last number, what would follow by the rule, and whether it counts what the message has itself. */
  numbering: { last: number; next: number | null; countsOwn: boolean };
}

/** Sessions that are kept; the one that was silent for longest goes first. */
const maxSessions = 4096;
/** Samplers of one session. */
const maxSamplers = 256;

export function newSession(
  key: string,
  format: ExportFormat,
  address: string,
  port: number,
  domain: number,
  agent: string,
): ExportSession {
  const tracker = sequenceTracker();
  return {
    key,
    format,
    address,
    port,
    domain,
    agent,
    messages: 0,
    flows: 0,
    otherRecords: 0,
    optionRecords: 0,
    malformed: 0,
    templates: 0,
    unread: 0,
    samplesDropped: 0,
    firstMs: Number.NaN,
    lastMs: Number.NaN,
    sequence: tracker.state,
    tracker,
    sampling: new Map(),
    bootMs: Number.NaN,
    epochs: { data: 0, options: 0 },
    numbering: { last: 0, next: null, countsOwn: false },
  };
}

/** @param gone told of a session that has to make room for another */
export function sessionTable(gone: (session: ExportSession) => void): {
  of(format: ExportFormat, address: string, port: number, domain: number, agent: string): ExportSession;
  all(): IterableIterator<ExportSession>;
} {
  const sessions = new Map<string, ExportSession>();
  return {
    all: () => sessions.values(),
    of: (format, address, port, domain, agent) => {
      const key = `${format} ${address} ${port} ${agent} ${domain}`;
      const known = sessions.get(key);
      if (known) {
        sessions.delete(key);
        sessions.set(key, known);
        return known;
      }
      const session = newSession(key, format, address, port, domain, agent);
      sessions.set(key, session);
      if (sessions.size > maxSessions) {
        const oldest = sessions.values().next().value!;
        sessions.delete(oldest.key);
        gone(oldest);
      }
      return session;
    },
  };
}

/** What options say about sampling holds for the flows after them. */
export function noteSampling(session: ExportSession, sampler: number, every: number): void {
  if (session.sampling.size < maxSamplers || session.sampling.has(sampler)) session.sampling.set(sampler, every);
}

/** The rate that holds for a flow that names `sampler` (−1: none): its own, the general one, or the only one; NaN: nobody said any. */
export function samplingOf({ sampling }: ExportSession, sampler: number): number {
  const said = sampling.get(sampler) ?? sampling.get(-1);
  if (said !== undefined) return said;
  return sampler < 0 && sampling.size === 1 ? sampling.values().next().value! : Number.NaN;
}

/** More than clocks are set by, and less than any exporter runs. */
const bootLaterMs = 10_000;

/**
 * Takes note of when an exporter started. @returns whether that is later than it was: it has been started anew. Clocks that are set far
 * and the wrap of the uptime after 49 days look alike, and do no more than to leave one gap unjudged.
 */
export function isStartedAnew(session: ExportSession, bootMs: number): boolean {
  const before = session.bootMs;
  session.bootMs = bootMs;
  return bootMs > before + bootLaterMs;
}
