import { decodePacket } from '../packet/decode.ts';
import { linkType } from '../packet/link.ts';
import { newPacket } from '../packet/packet.ts';
import { type Frame, newFrame } from '../pcap/frame.ts';
import { clearFlow, type ExportedFlow, type InterfaceCounters } from './flow.ts';
import { unsigned } from './octets.ts';
import { takePacket } from './sampled-packet.ts';
import { type ExportSession, isStartedAnew } from './session.ts';

/** Formats of samples and of the records in them, all of enterprise 0 (sFlow version 5, sflow.org, July 2004). */
const sample = { flow: 1, counters: 2, expandedFlow: 3, expandedCounters: 4 } as const;
const flowRecord = { rawHeader: 1, ipv4: 3, ipv6: 4, extendedSwitch: 1001 } as const;
const interfaceCounters = 1;

/** Header protocols of raw packet headers, as link types of captures. */
const linkTypes: Readonly<Record<number, number>> = {
  1: linkType.ethernet,
  7: linkType.ppp,
  11: linkType.ipv4,
  12: linkType.ipv6,
  13: linkType.mpls,
};

/** Sources of samples of one agent whose counts are followed. */
const maxSources = 1024;
const localInterface = 0x3fff_ffff;
const unknown32 = 0xffff_ffff;

export interface SflowSink {
  flow(flow: ExportedFlow, session: ExportSession): void;
  counters(counters: InterfaceCounters, session: ExportSession): void;
}

/** Where the header of a datagram says that it comes from; null where it is too short for one. */
export function agentOf(bytes: Buffer): { at: number; family: 4 | 6; subAgent: number } | null {
  if (bytes.length < 8) return null;
  const type = bytes.readUInt32BE(4);
  if (type !== 1 && type !== 2) return null;
  const octets = type === 1 ? 4 : 16;
  if (bytes.length < 8 + octets + 16) return null;
  return { at: 8, family: type === 1 ? 4 : 6, subAgent: bytes.readUInt32BE(8 + octets) };
}

/**
 * sFlow version 5: datagrams of samples, each with its length. A flow sample is one packet out of so many, told by its first octets; it
 * becomes a flow of one packet, with the octets of IP as the other formats count them. There are no times in it: those of arrival hold.
 */
export function sflow5Reader(sink: SflowSink): (bytes: Buffer, session: ExportSession, arrivalMs: number) => void {
  const flow = clearFlow({} as ExportedFlow, Buffer.alloc(0));
  const frame = newFrame();
  const packet = newPacket();
  const counters = {} as InterfaceCounters;
  const dropsBefore = new WeakMap<ExportSession, Map<number, number>>();

  return (bytes, session, arrivalMs) => {
    const agent = agentOf(bytes);
    if (!agent) {
      session.malformed += 1;
      return;
    }
    let at = agent.at + (agent.family === 4 ? 4 : 16) + 4;
    session.tracker.see(bytes.readUInt32BE(at), 1, isStartedAnew(session, arrivalMs - bytes.readUInt32BE(at + 4)));
    const said = bytes.readUInt32BE(at + 8);
    at += 12;
    for (let i = 0; i < said; i++) {
      if (bytes.length - at < 8) return cut(session);
      const format = bytes.readUInt32BE(at);
      const length = bytes.readUInt32BE(at + 4);
      at += 8;
      if (length > bytes.length - at) return cut(session);
      if (format === sample.flow || format === sample.expandedFlow)
        takeFlowSample(bytes, at, at + length, format === sample.expandedFlow, session, arrivalMs);
      else if (format === sample.counters || format === sample.expandedCounters)
        takeCounterSample(bytes, at, at + length, format === sample.expandedCounters, session);
      at += length;
    }
  };

  function takeFlowSample(
    bytes: Buffer,
    at: number,
    end: number,
    isExpanded: boolean,
    session: ExportSession,
    arrivalMs: number,
  ): void {
    if (end - at < (isExpanded ? 44 : 32)) return cut(session);
    clearFlow(flow, bytes);
    const [sourceClass, sourceIndex] = sourceOf(bytes, at + 4, isExpanded);
    const rest = at + (isExpanded ? 12 : 8);
    const every = bytes.readUInt32BE(rest);
    noteDrops(session, sourceClass * 2 ** 32 + sourceIndex, bytes.readUInt32BE(rest + 8));
    flow.input = interfaceOf(bytes, rest + 12, isExpanded);
    flow.output = interfaceOf(bytes, rest + (isExpanded ? 20 : 16), isExpanded);
    if (sourceClass === 0 && flow.input !== flow.output)
      flow.direction = sourceIndex === flow.input ? 0 : sourceIndex === flow.output ? 1 : -1;
    if (every > 0) {
      flow.everyPackets = every;
      flow.samplingFrom = 'record';
    }
    flow.startMs = arrivalMs;
    flow.endMs = arrivalMs;
    const recordsAt = rest + (isExpanded ? 32 : 24);
    const isWhole = eachRecord(bytes, recordsAt, end, bytes.readUInt32BE(recordsAt - 4), takeFlowRecord);
    if (!isWhole) session.malformed += 1;
    if (flow.sourceAt < 0) session.otherRecords += 1;
    else sink.flow(flow, session);
  }

  function takeFlowRecord(format: number, bytes: Buffer, at: number, end: number): void {
    if (format === flowRecord.rawHeader) takeRawHeader(bytes, at, end);
    else if (format === flowRecord.ipv4 && end - at >= 32) takeAddresses(bytes, at, 4);
    else if (format === flowRecord.ipv6 && end - at >= 56) takeAddresses(bytes, at, 6);
    else if (format === flowRecord.extendedSwitch && end - at >= 16 && flow.vlan < 0) {
      const vlan = bytes.readUInt32BE(at);
      if (vlan > 0 && vlan < 4095) flow.vlan = vlan;
    }
  }

  function takeRawHeader(bytes: Buffer, at: number, end: number): void {
    if (end - at < 16) return;
    const link = linkTypes[bytes.readUInt32BE(at)];
    if (link === undefined) return;
    const length = bytes.readUInt32BE(at + 4);
    const header = Math.min(bytes.readUInt32BE(at + 12), end - at - 16);
    describe(frame, bytes, at + 16, header, link);
    frame.originalLength = Math.max(header, length - Math.min(length, bytes.readUInt32BE(at + 8)));
    if (decodePacket(frame, packet)) takePacket(flow, frame, packet);
  }

  /** What an agent says instead of a header, or beside it: then the header has said it already, and more exactly. */
  function takeAddresses(bytes: Buffer, at: number, version: 4 | 6): void {
    if (flow.sourceAt >= 0) return;
    const octets = version === 4 ? 4 : 16;
    flow.version = version;
    flow.octets = bytes.readUInt32BE(at);
    flow.packets = 1;
    flow.protocol = bytes.readUInt32BE(at + 4) & 0xff;
    flow.sourceAt = at + 8;
    flow.destinationAt = flow.sourceAt + octets;
    const ports = flow.destinationAt + octets;
    flow.sourcePort = bytes.readUInt32BE(ports) & 0xffff;
    flow.destinationPort = bytes.readUInt32BE(ports + 4) & 0xffff;
    if (flow.protocol === 6) flow.tcpFlags = bytes.readUInt32BE(ports + 8) & 0xff;
    flow.tos = bytes.readUInt32BE(ports + 12) & 0xff;
  }

  function takeCounterSample(
    bytes: Buffer,
    at: number,
    end: number,
    isExpanded: boolean,
    session: ExportSession,
  ): void {
    const head = isExpanded ? 16 : 12;
    if (end - at < head) return cut(session);
    const isWhole = eachRecord(bytes, at + head, end, bytes.readUInt32BE(at + head - 4), (format, octets, from, to) => {
      if (format !== interfaceCounters || to - from < 88) return;
      readCounters(counters, octets, from);
      sink.counters(counters, session);
    });
    if (!isWhole) session.malformed += 1;
    session.otherRecords += 1;
  }

  /** Samples that the agent could not make, which each source counts by itself. */
  function noteDrops(session: ExportSession, source: number, drops: number): void {
    let before = dropsBefore.get(session);
    if (!before) dropsBefore.set(session, (before = new Map<number, number>()));
    const last = before.get(source);
    if (last !== undefined && drops > last) session.samplesDropped += drops - last;
    if (last !== undefined || before.size < maxSources) before.set(source, drops);
  }
}

function cut(session: ExportSession): void {
  session.malformed += 1;
}

function sourceOf(bytes: Buffer, at: number, isExpanded: boolean): [kind: number, index: number] {
  const first = bytes.readUInt32BE(at);
  return isExpanded ? [first, bytes.readUInt32BE(at + 4)] : [first >>> 24, first & 0xff_ffff];
}

/** An interface by its index; −1 where it is none: dropped, several, or the agent itself. */
function interfaceOf(bytes: Buffer, at: number, isExpanded: boolean): number {
  const first = bytes.readUInt32BE(at);
  const format = isExpanded ? first : first >>> 30;
  const value = isExpanded ? bytes.readUInt32BE(at + 4) : first & localInterface;
  return format !== 0 || value === localInterface || value === unknown32 ? -1 : value;
}

/** Records with their lengths. @returns false where they end before they should */
function eachRecord(
  bytes: Buffer,
  from: number,
  end: number,
  count: number,
  take: (format: number, bytes: Buffer, at: number, end: number) => void,
): boolean {
  let at = from;
  for (let i = 0; i < count; i++) {
    if (end - at < 8) return false;
    const length = bytes.readUInt32BE(at + 4);
    if (length > end - at - 8) return false;
    take(bytes.readUInt32BE(at), bytes, at + 8, at + 8 + length);
    // XDR pads to four octets what agents do not always count.
    at += 8 + length + ((4 - (length % 4)) % 4);
  }
  return true;
}

function describe(frame: Frame, bytes: Buffer, start: number, length: number, link: number): void {
  frame.bytes = bytes;
  frame.start = start;
  frame.end = start + length;
  frame.linkType = link;
  frame.fcsBytes = 0;
}

function readCounters(counters: InterfaceCounters, bytes: Buffer, at: number): void {
  const u32 = (offset: number) => {
    const value = bytes.readUInt32BE(at + offset);
    return value === unknown32 ? Number.NaN : value;
  };
  const u64 = (offset: number) => {
    const isUnknown =
      bytes.readUInt32BE(at + offset) === unknown32 && bytes.readUInt32BE(at + offset + 4) === unknown32;
    return isUnknown ? Number.NaN : unsigned(bytes, at + offset, 8);
  };
  // Unicast, multicast and broadcast; those that the agent does not know are not added.
  const packets = (offset: number) => u32(offset) + (u32(offset + 4) || 0) + (u32(offset + 8) || 0);
  counters.index = u32(0);
  counters.bitsPerSecond = u64(8);
  counters.inOctets = u64(24);
  counters.inPackets = packets(32);
  counters.inDiscards = u32(44);
  counters.inErrors = u32(48);
  counters.outOctets = u64(56);
  counters.outPackets = packets(64);
  counters.outDiscards = u32(76);
  counters.outErrors = u32(80);
}
