/**
 * One record of a flow export, as the exporter has counted it. One object is filled again and again and holds until the next record;
 * `bytes` is the datagram's. Numbers that the record does not have are −1, times NaN.
 */
export interface ExportedFlow {
  bytes: Buffer;
  /** Of the addresses; 0: the record has none that can be read. */
  version: 0 | 4 | 6;
  sourceAt: number;
  destinationAt: number;
  /** Ports are 0 where the protocol has none. */
  sourcePort: number;
  destinationPort: number;
  protocol: number;
  /** Counted, not scaled by sampling. */
  octets: number;
  packets: number;
  /** The other direction, where one record tells both (RFC 5103). */
  reverseOctets: number;
  reversePackets: number;
  tcpFlags: number;
  tos: number;
  /** Type and code of ICMP, as type × 256 + code. */
  icmp: number;
  /** 0: met on the way into the exporter, 1: on the way out. */
  direction: number;
  input: number;
  output: number;
  vlan: number;
  /** Since the epoch, by the exporter's clock. */
  startMs: number;
  endMs: number;
  /** One packet in so many was looked at. */
  everyPackets: number;
  samplingFrom: SamplingFrom;
}

/** Who said at which rate was sampled; `nobody`: then every packet counts as seen. */
export type SamplingFrom = 'record' | 'header' | 'options' | 'nobody';

export function newFlow(): ExportedFlow {
  return clearFlow({} as ExportedFlow, Buffer.alloc(0));
}

export function clearFlow(flow: ExportedFlow, bytes: Buffer): ExportedFlow {
  flow.bytes = bytes;
  flow.version = 0;
  flow.sourceAt = -1;
  flow.destinationAt = -1;
  flow.sourcePort = 0;
  flow.destinationPort = 0;
  flow.protocol = -1;
  flow.octets = -1;
  flow.packets = -1;
  flow.reverseOctets = -1;
  flow.reversePackets = -1;
  flow.tcpFlags = -1;
  flow.tos = -1;
  flow.icmp = -1;
  flow.direction = -1;
  flow.input = -1;
  flow.output = -1;
  flow.vlan = -1;
  flow.startMs = Number.NaN;
  flow.endMs = Number.NaN;
  flow.everyPackets = 1;
  flow.samplingFrom = 'nobody';
  return flow;
}

/** What an interface of an exporter has counted since it came up (sFlow counter samples); NaN where the exporter does not know. */
export interface InterfaceCounters {
  index: number;
  bitsPerSecond: number;
  inOctets: number;
  inPackets: number;
  inDiscards: number;
  inErrors: number;
  outOctets: number;
  outPackets: number;
  outDiscards: number;
  outErrors: number;
}
