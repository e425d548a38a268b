import { createReadStream } from 'node:fs';
import { wiresharkFlagNames } from '../../src/gather/capture/compat/flags.ts';
import { WiresharkCompat } from '../../src/gather/capture/compat/wireshark.ts';
import { type CaptureRead, readCapture } from '../../src/gather/capture/open.ts';
import { decodePacket } from '../../src/wire/packet/decode.ts';
import { newPacket, type Packet } from '../../src/wire/packet/packet.ts';
import type { Frame } from '../../src/wire/pcap/frame.ts';
import { addressText } from './address.ts';
import { secondsText, tshark, type TsharkPacket } from './tshark.ts';
import { fileOf } from '../../src/wire/open-file.ts';

type Row = Record<string, string>;

function rowOf(packet: Packet, decoded: boolean, compat: WiresharkCompat, frame: Frame, number: number): Row {
  const row: Row = {
    ip: '',
    ports: '',
    length: '',
    sequence: '',
    stream: '',
    flags: '',
    duplicate: '',
    acks: '',
    rto: '',
    initial: '',
  };
  if (!decoded) return row;
  const analysis = compat.analyse(frame, packet, number);
  row['ip'] = addressText(packet);
  const hasPorts = packet.protocol === 6 || packet.protocol === 17;
  if (hasPorts && packet.fragment === 0 && packet.capturedEnd - packet.transportAt >= 4)
    row['ports'] = `${packet.sourcePort} ${packet.destinationPort}`;
  if (
    packet.protocol === 6 &&
    packet.fragment === 0 &&
    !packet.inError &&
    packet.capturedEnd - packet.transportAt >= 16
  ) {
    // Of a header that lies about its own length, tshark tells what is left behind it.
    const headerBytes = (packet.bytes[packet.transportAt + 12]! >>> 4) * 4;
    if (headerBytes < 20) row['length'] = String(packet.packetEnd - packet.transportAt - headerBytes);
    else if (packet.framedBytes >= 0) row['length'] = String(packet.framedBytes);
    row['sequence'] = String(packet.sequence);
  }
  if (!analysis) return row;
  row['stream'] = String(analysis.stream);
  row['flags'] = wiresharkFlagNames(analysis.flags).join(' ');
  if (analysis.duplicateAckNumber) row['duplicate'] = `${analysis.duplicateAckNumber} ${analysis.duplicateAckFrame}`;
  if (analysis.acksFrame) row['acks'] = `${analysis.acksFrame} ${secondsText(analysis.ackRttNs)}`;
  if (analysis.rtoNs) row['rto'] = `${analysis.rtoFrame} ${secondsText(analysis.rtoNs)}`;
  row['initial'] = secondsText(analysis.initialRttNs);
  return row;
}

function expectedOf({ fields, flags }: TsharkPacket): Row {
  const pair = (a: string, b: string) => `${a} ${b}`.trim();
  const isTcp = fields['tcp.srcport'] !== '';
  return {
    ip: `${pair(fields['ip.src'], fields['ip.dst'])}|${pair(fields['ipv6.src'], fields['ipv6.dst'])}`,
    ports: isTcp
      ? pair(fields['tcp.srcport'], fields['tcp.dstport'])
      : pair(fields['udp.srcport'], fields['udp.dstport']),
    length: fields['tcp.len'],
    sequence: fields['tcp.seq_raw'],
    stream: fields['tcp.stream'],
    flags: wiresharkFlagNames(flags).join(' '),
    duplicate: pair(fields['tcp.analysis.duplicate_ack_num'], fields['tcp.analysis.duplicate_ack_frame']),
    acks: fields['tcp.analysis.acks_frame'] && `${fields['tcp.analysis.acks_frame']} ${fields['tcp.analysis.ack_rtt']}`,
    rto: pair(fields['tcp.analysis.rto_frame'], fields['tcp.analysis.rto']),
    initial: fields['tcp.analysis.initial_rtt'],
  };
}

/** Which of the columns say different things of one packet. */
function differences(ours: Row, theirs: Row, isSflow: boolean): string[] {
  return Object.keys(ours).filter((column) => {
    // There, the innermost of tshark is a packet that was sampled.
    if (isSflow && !['stream', 'flags'].includes(column)) return false;
    const [a, b] = [ours[column]!, theirs[column]!];
    if (column === 'ip') return a !== '' && !b.split('|').includes(a);
    // Of a tunnel tshark gives the ports around it where there are none inside.
    if (column === 'ports') return a !== '' && a !== b;
    if (column === 'initial') return b !== '' && a !== b;
    if (column === 'sequence' || column === 'length') return theirs['stream'] !== '' && a !== b && b !== '';
    return a !== b;
  });
}

export interface Difference {
  frame: number;
  protocols: string;
  columns: readonly { name: string; ours: string; tshark: string }[];
}

export interface Comparison {
  packets: number;
  /** Of them, with a tcp.stream. */
  tcp: number;
  /** Flags that tshark has set. */
  flags: number;
  differences: Difference[];
  /** Packets of which only one of both knows. */
  missing: number;
  read: CaptureRead;
}

/** The same file by both, packet by packet. */
export async function compare(file: string): Promise<Comparison> {
  const ours: Row[] = [];
  const compat = new WiresharkCompat();
  const packet = newPacket();
  const read = await readCapture({ name: file, file: fileOf(createReadStream(file)), totalBytes: null }, (frame) => {
    ours.push(rowOf(packet, decodePacket(frame, packet), compat, frame, ours.length + 1));
  });
  const result: Comparison = { packets: 0, tcp: 0, flags: 0, differences: [], missing: 0, read };
  for await (const their of tshark(file)) {
    const row = ours[result.packets++];
    const expected = expectedOf(their);
    if (expected['stream']) result.tcp++;
    result.flags += expected['flags']!.split(' ').filter(Boolean).length;
    if (!row) continue;
    const columns = differences(row, expected, their.fields['frame.protocols'].includes(':sflow'));
    if (columns.length === 0) continue;
    result.differences.push({
      frame: result.packets,
      protocols: their.fields['frame.protocols'],
      columns: columns.map((name) => ({ name, ours: row[name]!, tshark: expected[name]! })),
    });
  }
  result.missing = Math.abs(ours.length - result.packets);
  return result;
}

export function describe({ frame, protocols, columns }: Difference): string {
  const list = columns.map(({ name, ours, tshark }) => `${name}: ours "${ours}", tshark "${tshark}"`);
  return `  #${frame} ${protocols}: ${list.join('; ')}`;
}
