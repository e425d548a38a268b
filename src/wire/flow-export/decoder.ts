import { formatIPv4, formatIPv6 } from '../sockaddr.ts';
import { type ExportedFlow, type InterfaceCounters, newFlow } from './flow.ts';
import { engineOf, readNetflow5 } from './netflow5.ts';
import { type ExportFormat, type ExportSession, sessionTable } from './session.ts';
import { agentOf, sflow5Reader } from './sflow5.ts';
import { ipfixHeaderBytes, netflow9HeaderBytes, templatedReader } from './templated.ts';

/** Where the records go. The objects are the decoder's and hold until the call is over. */
export interface FlowExportSink {
  flow(flow: ExportedFlow, session: ExportSession): void;
  counters?(counters: InterfaceCounters, session: ExportSession): void;
  /** A session that made room for another: its counts are complete. */
  gone?(session: ExportSession): void;
}

export interface FlowExportDecoder {
  /**
   * Reads one datagram; no octets make it throw. @returns its format, null where it is none that is read
   * @param address of the sender, canonical
   */
  datagram(bytes: Buffer, address: string, port: number, arrivalMs: number): ExportFormat | null;
  sessions(): IterableIterator<ExportSession>;
  /** Templates that made room for others, and that are known now; octets that wait for one. */
  readonly evictedTemplates: number;
  readonly knownTemplates: number;
  readonly waitingBytes: number;
}

/** The largest datagram over IP; more is no datagram. */
const maxDatagramBytes = 65_535;

/**
 * Reads flow exports of all formats from datagrams: NetFlow v5, v9, IPFIX, sFlow v5, told apart by their first octets. Memory is bounded
 * whatever comes: 4096 sessions, 65,536 templates of a million fields, 1 MiB of sets that wait for theirs.
 */
export function flowExportDecoder(sink: FlowExportSink): FlowExportDecoder {
  const flow = newFlow();
  const sessions = sessionTable((session) => sink.gone?.(session));
  const emit = (one: ExportedFlow, session: ExportSession) => {
    session.flows += 1;
    sink.flow(one, session);
  };
  const templated = templatedReader(emit);
  const sflow = sflow5Reader({ flow: emit, counters: (counters, session) => sink.counters?.(counters, session) });

  const sessionOf = (format: ExportFormat, bytes: Buffer, address: string, port: number): ExportSession => {
    switch (format) {
      case 'netflow-v5':
        return sessions.of(format, address, port, engineOf(bytes), '');
      case 'netflow-v9':
        return sessions.of(format, address, port, domainOf(bytes, netflow9HeaderBytes), '');
      case 'ipfix':
        return sessions.of(format, address, port, domainOf(bytes, ipfixHeaderBytes), '');
      case 'sflow-v5': {
        const agent = agentOf(bytes);
        const name = agent ? (agent.family === 4 ? formatIPv4(bytes, agent.at) : formatIPv6(bytes, agent.at)) : '';
        return sessions.of(format, address, port, agent?.subAgent ?? 0, name);
      }
    }
  };

  const datagram: FlowExportDecoder['datagram'] = (bytes, address, port, arrivalMs) => {
    const format = formatOf(bytes);
    if (format === null || bytes.length > maxDatagramBytes) return null;
    const session = sessionOf(format, bytes, address, port);
    session.messages += 1;
    if (Number.isNaN(session.firstMs)) session.firstMs = arrivalMs;
    session.lastMs = arrivalMs;
    if (format === 'netflow-v5') readNetflow5(bytes, session, flow, emit);
    else if (format === 'netflow-v9') templated.netflow9(bytes, session);
    else if (format === 'ipfix') templated.ipfix(bytes, session);
    else sflow(bytes, session, arrivalMs);
    return format;
  };

  return {
    datagram,
    sessions: sessions.all,
    get evictedTemplates() {
      return templated.evictedTemplates;
    },
    get knownTemplates() {
      return templated.knownTemplates;
    },
    get waitingBytes() {
      return templated.waitingBytes;
    },
  };
}

/** The first sixteen bits are the version of NetFlow and IPFIX; sFlow has thirty-two. */
function formatOf(bytes: Buffer): ExportFormat | null {
  if (bytes.length < 4) return null;
  const version = bytes.readUInt16BE(0);
  if (version === 5) return 'netflow-v5';
  if (version === 9) return 'netflow-v9';
  if (version === 10) return 'ipfix';
  return version === 0 && bytes.readUInt16BE(2) === 5 ? 'sflow-v5' : null;
}

/** The last word of both headers. */
function domainOf(bytes: Buffer, headerBytes: number): number {
  return bytes.length >= headerBytes ? bytes.readUInt32BE(headerBytes - 4) : 0;
}
