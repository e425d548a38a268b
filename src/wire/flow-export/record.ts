import { clearFlow, type ExportedFlow } from './flow.ts';
import { unsigned } from './octets.ts';
import { reverse, type Template, variableLength } from './template.ts';

/** When the message was made, by its exporter: what the times in its records are counted from. */
export interface MessageTime {
  exportMs: number;
  /** When the exporter's uptime was 0; NaN where it does not say. */
  bootMs: number;
  /** Its uptime, ms modulo 2^32; NaN where it does not say. */
  uptimeMs: number;
}

/** What options say that is of use for flows; NaN and −1 where they do not. */
export interface RecordExtras {
  /** Sampler (48) or selector (302) that this is about. */
  sampler: number;
  /** One packet in so many. */
  every: number;
  /** systemInitTimeMilliseconds (160). */
  bootMs: number;
}

/** Elements that are put together once all are there. */
interface Parts {
  firstUptime: number;
  lastUptime: number;
  durationMs: number;
  icmpType: number;
  icmpCode: number;
  interval: number;
  space: number;
  size: number;
  population: number;
  probability: number;
}

/** Seconds between 1900 and 1970: dateTimeMicroseconds are stamps of NTP (RFC 7011 §6.1.9). */
const ntpEpochSeconds = 2_208_988_800;
/** What a Date can hold. */
const largestMs = 8.64e15;

/** Reads records of templates (RFC 7012 and IANA's registry of elements; NetFlow v9 shares the numbers below 128). */
export function recordReader(): {
  flow: ExportedFlow;
  extras: RecordExtras;
  /** @returns where the next record begins; −1 where there is none any more */
  read(bytes: Buffer, at: number, end: number, template: Template, time: MessageTime): number;
} {
  const flow = clearFlow({} as ExportedFlow, Buffer.alloc(0));
  const extras: RecordExtras = { sampler: -1, every: Number.NaN, bootMs: Number.NaN };
  const parts = {} as Parts;

  const read = (bytes: Buffer, at: number, end: number, template: Template, time: MessageTime): number => {
    if (end - at < template.leastBytes) return -1;
    clearFlow(flow, bytes);
    clear(extras, parts);
    const { elements, lengths } = template;
    let here = at;
    for (let field = 0; field < elements.length; field++) {
      let length = lengths[field]!;
      // Only IPFIX knows it; a field of v9 that long leaves no room in any datagram.
      if (length === variableLength) {
        if (here >= end) return -1;
        length = bytes[here]!;
        here += 1;
        if (length === 255) {
          if (end - here < 2) return -1;
          length = bytes.readUInt16BE(here);
          here += 2;
        }
      }
      if (end - here < length) return -1;
      const element = elements[field]!;
      if (element >= 0) take(element, bytes, here, length, flow, extras, parts);
      here += length;
    }
    finish(flow, extras, parts, time);
    return here;
  };
  return { flow, extras, read };
}

function clear(extras: RecordExtras, parts: Parts): void {
  extras.sampler = -1;
  extras.every = Number.NaN;
  extras.bootMs = Number.NaN;
  parts.firstUptime = Number.NaN;
  parts.lastUptime = Number.NaN;
  parts.durationMs = Number.NaN;
  parts.icmpType = -1;
  parts.icmpCode = 0;
  parts.interval = Number.NaN;
  parts.space = Number.NaN;
  parts.size = Number.NaN;
  parts.population = Number.NaN;
  parts.probability = Number.NaN;
}

/** One element, by its number in IANA's registry. */
function take(
  element: number,
  bytes: Buffer,
  at: number,
  length: number,
  flow: ExportedFlow,
  extras: RecordExtras,
  parts: Parts,
): void {
  // Numbers have up to eight octets; what says that it is longer, or nothing at all, is none.
  if (length === 0 || (length > 8 && element !== 27 && element !== 28)) return;
  switch (element) {
    case 8: // sourceIPv4Address
      if (length === 4) takeAddress(flow, 4, at, -1);
      break;
    case 12: // destinationIPv4Address
      if (length === 4) takeAddress(flow, 4, -1, at);
      break;
    case 27: // sourceIPv6Address
      if (length === 16) takeAddress(flow, 6, at, -1);
      break;
    case 28: // destinationIPv6Address
      if (length === 16) takeAddress(flow, 6, -1, at);
      break;
    case 7: // sourceTransportPort
      flow.sourcePort = unsigned(bytes, at, length) & 0xffff;
      break;
    case 11: // destinationTransportPort
      flow.destinationPort = unsigned(bytes, at, length) & 0xffff;
      break;
    case 4: // protocolIdentifier
      flow.protocol = unsigned(bytes, at, length) & 0xff;
      break;
    case 1: // octetDeltaCount
    case 85: // octetTotalCount
      flow.octets = unsigned(bytes, at, length);
      break;
    case 2: // packetDeltaCount
    case 86: // packetTotalCount
      flow.packets = unsigned(bytes, at, length);
      break;
    case 23: // postOctetDeltaCount: of flows met on the way out, by exporters that keep the two apart
      if (flow.octets <= 0) flow.octets = unsigned(bytes, at, length);
      break;
    case 24: // postPacketDeltaCount
      if (flow.packets <= 0) flow.packets = unsigned(bytes, at, length);
      break;
    case reverse + 1:
    case reverse + 85:
      flow.reverseOctets = unsigned(bytes, at, length);
      break;
    case reverse + 2:
    case reverse + 86:
      flow.reversePackets = unsigned(bytes, at, length);
      break;
    case 5: // ipClassOfService
      flow.tos = unsigned(bytes, at, length) & 0xff;
      break;
    case 6: // tcpControlBits: of one octet or two
      flow.tcpFlags = unsigned(bytes, at, length) & 0x0fff;
      break;
    case 10: // ingressInterface
      flow.input = unsigned(bytes, at, length);
      break;
    case 14: // egressInterface
      flow.output = unsigned(bytes, at, length);
      break;
    case 58: // vlanId
      flow.vlan = unsigned(bytes, at, length) & 0x0fff;
      break;
    case 61: // flowDirection
      flow.direction = unsigned(bytes, at, length) & 1;
      break;
    case 32: // icmpTypeCodeIPv4
    case 139: // icmpTypeCodeIPv6; zero in the family that the flow is not of
      flow.icmp = Math.max(flow.icmp, unsigned(bytes, at, length) & 0xffff);
      break;
    case 176: // icmpTypeIPv4
    case 178: // icmpTypeIPv6
      parts.icmpType = Math.max(parts.icmpType, unsigned(bytes, at, length) & 0xff);
      break;
    case 177: // icmpCodeIPv4
    case 179: // icmpCodeIPv6
      parts.icmpCode = Math.max(parts.icmpCode, unsigned(bytes, at, length) & 0xff);
      break;
    default:
      if (element >= 150 && element <= 161) takeTime(element, bytes, at, length, flow, extras, parts);
      else takeSampling(element, bytes, at, length, extras, parts);
      if (element === 22) parts.firstUptime = unsigned(bytes, at, length);
      else if (element === 21) parts.lastUptime = unsigned(bytes, at, length);
  }
}

function takeTime(
  element: number,
  bytes: Buffer,
  at: number,
  length: number,
  flow: ExportedFlow,
  extras: RecordExtras,
  parts: Parts,
): void {
  if (element === 160) extras.bootMs = unsigned(bytes, at, length);
  else if (element === 161) parts.durationMs = unsigned(bytes, at, length);
  else if (element === 158 || element === 159) return takeDelta(element, bytes, at, length, flow);
  else {
    const ms = timeOf(element, bytes, at, length);
    if (element % 2 === 0) flow.startMs = ms;
    else flow.endMs = ms;
  }
}

/** flowStartDeltaMicroseconds and flowEndDeltaMicroseconds: how long before the export; below zero until it is added. */
function takeDelta(element: number, bytes: Buffer, at: number, length: number, flow: ExportedFlow): void {
  const ms = -unsigned(bytes, at, length) / 1000 - 1;
  if (element === 158) flow.startMs = ms;
  else flow.endMs = ms;
}

/** 150 to 157: seconds, milliseconds, microseconds and nanoseconds, start and end in turn. */
function timeOf(element: number, bytes: Buffer, at: number, length: number): number {
  if (element <= 151) return unsigned(bytes, at, length) * 1000;
  if (element <= 153) return unsigned(bytes, at, length);
  if (length !== 8) return Number.NaN;
  const seconds = bytes.readUInt32BE(at) - ntpEpochSeconds;
  // The lowest eleven bits of microseconds are no part of the time (RFC 7011 §6.1.9).
  const fraction = bytes.readUInt32BE(at + 4) & (element <= 155 ? 0xffff_f800 : 0xffff_ffff);
  return seconds * 1000 + ((fraction >>> 0) * 1000) / 2 ** 32;
}

/** What is said about sampling: NetFlow's own numbers, and those of PSAMP (RFC 5477). */
function takeSampling(
  element: number,
  bytes: Buffer,
  at: number,
  length: number,
  extras: RecordExtras,
  parts: Parts,
): void {
  if (element === 48 || element === 302) extras.sampler = unsigned(bytes, at, length);
  else if (element === 34 || element === 50) {
    const every = unsigned(bytes, at, length);
    if (every > 0) extras.every = every;
  } else if (element === 305) parts.interval = unsigned(bytes, at, length);
  else if (element === 306) parts.space = unsigned(bytes, at, length);
  else if (element === 309) parts.size = unsigned(bytes, at, length);
  else if (element === 310) parts.population = unsigned(bytes, at, length);
  else if (element === 311 && length === 8) parts.probability = bytes.readDoubleBE(at);
  else if (element === 311 && length === 4) parts.probability = bytes.readFloatBE(at);
}

/** Exporters that use one template for both families write zeros into the fields of the other. */
function takeAddress(flow: ExportedFlow, version: 4 | 6, sourceAt: number, destinationAt: number): void {
  if (flow.version !== version && flow.version !== 0) {
    if (isZero(flow.bytes, Math.max(sourceAt, destinationAt), version === 4 ? 4 : 16)) return;
    flow.sourceAt = -1;
    flow.destinationAt = -1;
  }
  flow.version = version;
  if (sourceAt >= 0) flow.sourceAt = sourceAt;
  else flow.destinationAt = destinationAt;
}

function isZero(bytes: Buffer, at: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

function finish(flow: ExportedFlow, extras: RecordExtras, parts: Parts, time: MessageTime): void {
  if (parts.icmpType >= 0) flow.icmp = parts.icmpType * 256 + parts.icmpCode;
  if (flow.startMs < 0) flow.startMs += time.exportMs + 1;
  if (flow.endMs < 0) flow.endMs += time.exportMs + 1;
  const boot = Number.isNaN(extras.bootMs) ? time.bootMs : extras.bootMs;
  if (Number.isNaN(flow.startMs)) flow.startMs = fromUptime(parts.firstUptime, boot, time);
  if (Number.isNaN(flow.endMs)) flow.endMs = fromUptime(parts.lastUptime, boot, time);
  if (Number.isNaN(flow.endMs)) flow.endMs = flow.startMs + parts.durationMs;
  if (Number.isNaN(flow.startMs)) flow.startMs = flow.endMs - parts.durationMs;
  if (!(Math.abs(flow.startMs) <= largestMs)) flow.startMs = Number.NaN;
  if (!(Math.abs(flow.endMs) <= largestMs)) flow.endMs = Number.NaN;
  extras.every = everyOf(extras, parts);
}

/** Time of a 32-bit uptime, which starts again after 49 days: never far ahead of the message's own. */
export function fromUptime(uptime: number, bootMs: number, time: MessageTime): number {
  if (Number.isNaN(time.uptimeMs) || Number.isNaN(uptime)) return bootMs + uptime;
  return time.exportMs - ((time.uptimeMs - uptime) | 0);
}

function everyOf(extras: RecordExtras, { interval, space, size, population, probability }: Parts): number {
  let every = extras.every;
  if (interval > 0) every = (interval + (space > 0 ? space : 0)) / interval;
  if (size > 0 && population >= size) every = population / size;
  if (probability > 0 && probability <= 1) every = 1 / probability;
  // A rate that no sampler has is a mistake, and would make figures without bound.
  return every >= 1 && every <= 2 ** 32 ? every : Number.NaN;
}
