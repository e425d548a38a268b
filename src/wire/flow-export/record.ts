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

/** What a record is read into, and where its element at hand stands in the octets of the flow; one object, filled again and again. */
interface Reading {
  flow: ExportedFlow;
  extras: RecordExtras;
  parts: Parts;
  element: number;
  at: number;
  length: number;
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
  const reading: Reading = { flow, extras, parts, element: -1, at: 0, length: 0 };

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
      reading.element = elements[field]!;
      reading.at = here;
      reading.length = length;
      if (reading.element >= 0) take(reading);
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
function take(reading: Reading): void {
  const { element, at, length, flow, parts } = reading;
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
      flow.sourcePort = numberIn(reading) & 0xffff;
      break;
    case 11: // destinationTransportPort
      flow.destinationPort = numberIn(reading) & 0xffff;
      break;
    case 4: // protocolIdentifier
      flow.protocol = numberIn(reading) & 0xff;
      break;
    case 1: // octetDeltaCount
    case 85: // octetTotalCount
      flow.octets = numberIn(reading);
      break;
    case 2: // packetDeltaCount
    case 86: // packetTotalCount
      flow.packets = numberIn(reading);
      break;
    case 23: // postOctetDeltaCount: of flows met on the way out, by exporters that keep the two apart
      if (flow.octets <= 0) flow.octets = numberIn(reading);
      break;
    case 24: // postPacketDeltaCount
      if (flow.packets <= 0) flow.packets = numberIn(reading);
      break;
    case reverse + 1:
    case reverse + 85:
      flow.reverseOctets = numberIn(reading);
      break;
    case reverse + 2:
    case reverse + 86:
      flow.reversePackets = numberIn(reading);
      break;
    case 5: // ipClassOfService
      flow.tos = numberIn(reading) & 0xff;
      break;
    case 6: // tcpControlBits: of one octet or two
      flow.tcpFlags = numberIn(reading) & 0x0fff;
      break;
    case 10: // ingressInterface
      flow.input = numberIn(reading);
      break;
    case 14: // egressInterface
      flow.output = numberIn(reading);
      break;
    case 58: // vlanId
      flow.vlan = numberIn(reading) & 0x0fff;
      break;
    case 61: // flowDirection
      flow.direction = numberIn(reading) & 1;
      break;
    case 32: // icmpTypeCodeIPv4
    case 139: // icmpTypeCodeIPv6; zero in the family that the flow is not of
      flow.icmp = Math.max(flow.icmp, numberIn(reading) & 0xffff);
      break;
    case 176: // icmpTypeIPv4
    case 178: // icmpTypeIPv6
      parts.icmpType = Math.max(parts.icmpType, numberIn(reading) & 0xff);
      break;
    case 177: // icmpCodeIPv4
    case 179: // icmpCodeIPv6
      parts.icmpCode = Math.max(parts.icmpCode, numberIn(reading) & 0xff);
      break;
    default:
      if (element >= 150 && element <= 161) takeTime(reading);
      else takeSampling(reading);
      if (element === 22) parts.firstUptime = numberIn(reading);
      else if (element === 21) parts.lastUptime = numberIn(reading);
  }
}

function takeTime(reading: Reading): void {
  const { element, flow, extras, parts } = reading;
  if (element === 160) extras.bootMs = numberIn(reading);
  else if (element === 161) parts.durationMs = numberIn(reading);
  else if (element === 158 || element === 159) return takeDelta(reading);
  else {
    const ms = timeOf(reading);
    if (element % 2 === 0) flow.startMs = ms;
    else flow.endMs = ms;
  }
}

/** flowStartDeltaMicroseconds and flowEndDeltaMicroseconds: how long before the export; below zero until it is added. */
function takeDelta(reading: Reading): void {
  const { element, flow } = reading;
  const ms = -numberIn(reading) / 1000 - 1;
  if (element === 158) flow.startMs = ms;
  else flow.endMs = ms;
}

/** 150 to 157: seconds, milliseconds, microseconds and nanoseconds, start and end in turn. */
function timeOf(reading: Reading): number {
  const { element, at, length, flow } = reading;
  if (element <= 151) return numberIn(reading) * 1000;
  if (element <= 153) return numberIn(reading);
  if (length !== 8) return Number.NaN;
  const seconds = flow.bytes.readUInt32BE(at) - ntpEpochSeconds;
  // The lowest eleven bits of microseconds are no part of the time (RFC 7011 §6.1.9).
  const fraction = flow.bytes.readUInt32BE(at + 4) & (element <= 155 ? 0xffff_f800 : 0xffff_ffff);
  return seconds * 1000 + ((fraction >>> 0) * 1000) / 2 ** 32;
}

/** What is said about sampling: NetFlow's own numbers, and those of PSAMP (RFC 5477). */
function takeSampling(reading: Reading): void {
  const { element, at, length, flow, extras, parts } = reading;
  if (element === 48 || element === 302) extras.sampler = numberIn(reading);
  else if (element === 34 || element === 50) {
    const every = numberIn(reading);
    if (every > 0) extras.every = every;
  } else if (element === 305) parts.interval = numberIn(reading);
  else if (element === 306) parts.space = numberIn(reading);
  else if (element === 309) parts.size = numberIn(reading);
  else if (element === 310) parts.population = numberIn(reading);
  else if (element === 311 && length === 8) parts.probability = flow.bytes.readDoubleBE(at);
  else if (element === 311 && length === 4) parts.probability = flow.bytes.readFloatBE(at);
}

/** The element as a number, most significant octet first. */
function numberIn({ flow, at, length }: Reading): number {
  return unsigned(flow.bytes, at, length);
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
