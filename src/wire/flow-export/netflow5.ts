import { clearFlow, type ExportedFlow } from './flow.ts';
import { fromUptime } from './record.ts';
import { type ExportSession, isStartedAnew } from './session.ts';

const headerBytes = 24;
const recordBytes = 48;

/** The source of messages of v5: engine type and id. */
export function engineOf(bytes: Buffer): number {
  return bytes.length >= 22 ? bytes.readUInt16BE(20) : 0;
}

/**
 * NetFlow version 5: a header of 24 octets and up to 30 records of 48, IPv4 only. Its numbers count flows: the first number after this
 * message's is its own plus its records.
 */
export function readNetflow5(
  bytes: Buffer,
  session: ExportSession,
  flow: ExportedFlow,
  emit: (flow: ExportedFlow, session: ExportSession) => void,
): void {
  if (bytes.length < headerBytes) {
    session.malformed += 1;
    return;
  }
  const said = bytes.readUInt16BE(2);
  const count = Math.min(said, Math.floor((bytes.length - headerBytes) / recordBytes));
  if (count < said) session.malformed += 1;
  const uptimeMs = bytes.readUInt32BE(4);
  const exportMs = bytes.readUInt32BE(8) * 1000 + bytes.readUInt32BE(12) / 1e6;
  const time = { exportMs, uptimeMs, bootMs: exportMs - uptimeMs };
  session.tracker.see(bytes.readUInt32BE(16), said, isStartedAnew(session, time.bootMs));
  // Two bits of mode, 14 of interval. Some exporters leave the mode 0.
  const interval = bytes.readUInt16BE(22) & 0x3fff;
  for (let i = 0, at = headerBytes; i < count; i++, at += recordBytes) {
    clearFlow(flow, bytes);
    flow.version = 4;
    flow.sourceAt = at;
    flow.destinationAt = at + 4;
    flow.input = bytes.readUInt16BE(at + 12);
    flow.output = bytes.readUInt16BE(at + 14);
    flow.packets = bytes.readUInt32BE(at + 16);
    flow.octets = bytes.readUInt32BE(at + 20);
    flow.startMs = fromUptime(bytes.readUInt32BE(at + 24), time.bootMs, time);
    flow.endMs = fromUptime(bytes.readUInt32BE(at + 28), time.bootMs, time);
    flow.sourcePort = bytes.readUInt16BE(at + 32);
    flow.destinationPort = bytes.readUInt16BE(at + 34);
    flow.tcpFlags = bytes[at + 37]!;
    flow.protocol = bytes[at + 38]!;
    flow.tos = bytes[at + 39]!;
    if (flow.protocol === 1) {
      // Type and code stand where the port would.
      flow.icmp = flow.destinationPort;
      flow.destinationPort = 0;
    }
    if (interval > 0) {
      flow.everyPackets = interval;
      flow.samplingFrom = 'header';
    }
    emit(flow, session);
  }
}
