import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { newFrame } from '../../src/wire/pcap/frame.ts';
import { captureReader } from '../../src/wire/pcap/reader.ts';
import { PORT } from './recorded.ts';

/** Octets that Linux puts before the IP packet in captures of all interfaces at once (LINUX_SLL2), and what Ethernet has instead. */
const cookedHeader = 20;
const ethernetHeader = 14;

/**
 * What tcptrace counts as sent again by the server, per port of the client. It gives counts of data packets, not which they are; null where
 * it is not installed.
 */
export async function tcptraceRetransmissions(capture: Buffer): Promise<Map<string, number> | null> {
  const folder = await mkdtemp(join(tmpdir(), 'tcptrace-'));
  try {
    const file = join(folder, 'ethernet.pcap');
    await writeFile(file, asEthernet(capture));
    const { stdout } = await promisify(execFile)('tcptrace', ['-n', '-l', '-r', file], { maxBuffer: 1 << 28 });
    return retransmissionsOf(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** It does not know LINUX_SLL2: the same packets with a header of Ethernet. */
function asEthernet(capture: Buffer): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2_c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(1, 20);
  const parts = [head];
  const reader = captureReader();
  const frame = newFrame();
  reader.push(capture);
  while (reader.next(frame)) {
    const cooked = frame.bytes.subarray(frame.start, frame.end);
    const octets = cooked.length - cookedHeader + ethernetHeader;
    const record = Buffer.alloc(16 + octets);
    record.writeUInt32LE(frame.seconds, 0);
    record.writeUInt32LE(Math.floor(frame.nanoseconds / 1000), 4);
    record.writeUInt32LE(octets, 8);
    record.writeUInt32LE(octets, 12);
    cooked.copy(record, 16 + 12, 0, 2);
    cooked.copy(record, 16 + ethernetHeader, cookedHeader);
    parts.push(record);
  }
  return Buffer.concat(parts);
}

function retransmissionsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const part of text.split(/^TCP connection \d+:/m).slice(1)) {
    // Hosts are named a, b, … z, aa: two for each connection.
    const ends = [...part.matchAll(/^\s*host \w+:\s+\S+:(\d+)$/gm)].map((match) => match[1]);
    const server = ends.indexOf(String(PORT));
    const sent = /rexmt data pkts:\s+(\d+)\s+rexmt data pkts:\s+(\d+)/.exec(part);
    const port = ends[1 - server];
    if (server < 0 || !sent || port === undefined) continue;
    counts.set(port, (counts.get(port) ?? 0) + Number(sent[server + 1]));
  }
  return counts;
}
