import type { ExporterCounts, FlowExporter, FlowRecord } from '../../model/capture/flow-record.ts';
import { mostSquares, sampledSum } from '../../stats/sampled.ts';
import type { ExportedFlow } from '../../wire/flow-export/flow.ts';
import { type ExportSession, sequenceUnits } from '../../wire/flow-export/session.ts';
import { formatIPv4, formatIPv6 } from '../../wire/sockaddr.ts';

/** The largest packet that is taken for usual, in octets of IP; a flow whose mean is larger has larger ones. */
const usualPacketBytes = 1500;

/** Who exported; the same object for all flows of a session. */
const exporters = new WeakMap<ExportSession, FlowExporter>();

/** The record that stays, of the flow that holds only until the next. */
export function toRecord(flow: ExportedFlow, session: ExportSession): FlowRecord {
  const every = flow.everyPackets;
  const octets = known(flow.octets) ?? 0;
  const packets = known(flow.packets) ?? 0;
  const octetTotal = totalOf(octets, mostSquares(octets, packets, usualPacketBytes), every);
  const packetTotal = totalOf(packets, packets, every);
  return {
    startMs: flow.startMs,
    endMs: Math.max(flow.startMs, flow.endMs),
    source: { address: address(flow, flow.sourceAt), port: flow.sourcePort },
    destination: { address: address(flow, flow.destinationAt), port: flow.destinationPort },
    protocol: known(flow.protocol),
    octets: octetTotal.estimate,
    packets: packetTotal.estimate,
    octetsRange: [octetTotal.low, octetTotal.high],
    packetsRange: [packetTotal.low, packetTotal.high],
    reverse: reverseOf(flow, every),
    tcpFlags: known(flow.tcpFlags),
    tos: known(flow.tos),
    icmp: icmpOf(flow),
    direction: flow.direction < 0 ? null : flow.direction === 0 ? 'in' : 'out',
    input: known(flow.input),
    output: known(flow.output),
    vlan: known(flow.vlan),
    sampling: { everyPackets: every, saidBy: flow.samplingFrom },
    exporter: exporterOf(session),
  };
}

/** The counts of a session as they are now. */
export function countsOf(session: ExportSession): ExporterCounts {
  const { messages, flows, otherRecords, malformed, unread, samplesDropped, sequence, firstMs, lastMs } = session;
  return {
    ...exporterOf(session),
    messages,
    flows,
    otherRecords,
    malformed,
    unreadSets: unread,
    samplesDropped,
    sequence: { unit: sequenceUnits[session.format], ...sequence },
    firstMs,
    lastMs,
  };
}

function exporterOf(session: ExportSession): FlowExporter {
  const known = exporters.get(session);
  if (known) return known;
  const { address, port, format, domain, agent } = session;
  const exporter = { address, port, format, domain, agent: agent === '' ? null : agent };
  exporters.set(session, exporter);
  return exporter;
}

function totalOf(counted: number, squares: number, every: number): { estimate: number; low: number; high: number } {
  // Most flows are not sampled.
  if (every === 1) return { estimate: counted, low: counted, high: counted };
  const sum = sampledSum();
  sum.add(counted, squares, every);
  return sum.total();
}

function reverseOf({ reverseOctets, reversePackets }: ExportedFlow, every: number): FlowRecord['reverse'] {
  if (reverseOctets < 0 && reversePackets < 0) return null;
  return { octets: Math.max(0, reverseOctets) * every, packets: Math.max(0, reversePackets) * every };
}

function address(flow: ExportedFlow, at: number): string {
  return flow.version === 4 ? formatIPv4(flow.bytes, at) : formatIPv6(flow.bytes, at);
}

/** Exporters that use one template for all protocols write zeros for those that have no type and code. */
function icmpOf({ icmp, protocol }: ExportedFlow): FlowRecord['icmp'] {
  if (icmp < 0 || (protocol !== 1 && protocol !== 58)) return null;
  return { type: icmp >>> 8, code: icmp & 0xff };
}

const known = (value: number): number | null => (value < 0 ? null : value);
