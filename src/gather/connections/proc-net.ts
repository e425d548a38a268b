import { found } from '../topology/parsed.ts';
import type { ConnectionReader, ConnectionState, Endpoint } from './connection.ts';
import { unmapped } from './endpoint.ts';
import { snapshotRows, udpState } from './snapshot-rows.ts';

/** States of a socket as the kernel numbers them (include/net/tcp_states.h). */
const states: Record<string, ConnectionState> = {
  '01': 'established',
  '02': 'opening',
  '03': 'opening',
  '04': 'closing',
  '05': 'closing',
  '06': 'closing',
  '07': 'closed',
  '08': 'closing',
  '09': 'closing',
  '0A': 'listen',
  '0B': 'closing',
  '0C': 'opening',
};

const header = /^\s*sl\s+local_address\s+rem(?:ote)?_address\s+st\b/;
const row = /^\s*\d+:\s+([0-9A-F]+):([0-9A-F]{4})\s+([0-9A-F]+):([0-9A-F]{4})\s+([0-9A-F]{2})\s/i;

/**
 * `/proc/net/{tcp,tcp6,udp,udp6}`, one after the other in any order. The header tells TCP from UDP (UDP's goes on after the inode);
 * everybody may read these files, and no child process is needed.
 */
export const procNetReader: ConnectionReader = {
  format: 'proc-net',
  about: '/proc/net/{tcp,tcp6,udp,udp6} of Linux, also several in one',
  detect: (head) =>
    /^\s*sl\s+local_address\s+rem(?:ote)?_address\s+st\b/m.test(head)
      ? { confidence: 1, why: 'header of /proc/net' }
      : { confidence: 0, why: '' },
  open: ({ source, atMs }, sink) => {
    const rows = snapshotRows(source, atMs, sink);
    let protocol: 'tcp' | 'udp' | null = null;
    return {
      line: (text, line) => {
        if (text.trim() === '') return;
        if (header.test(text)) {
          protocol = /\bdrops\s*$/.test(text) ? 'udp' : 'tcp';
          return;
        }
        const match = row.exec(text);
        const [local, remote] = match ? [hexEndpoint(match[1]!, match[2]!), hexEndpoint(match[3]!, match[4]!)] : [];
        if (!match || !local || !remote || protocol === null) {
          const wanted = protocol === null ? 'the header of the file first' : 'number: ADDRESS:PORT ADDRESS:PORT STATE';
          sink.mistake(line, 'row', `${found(text)}; allowed: ${wanted}`);
          return;
        }
        const state = protocol === 'udp' ? udpState(remote) : (states[match[5]!.toUpperCase()] ?? 'unknown');
        rows.add({ protocol, local, remote, state, line });
      },
      end: () => rows.end(),
    };
  },
};

/** Words of 32 bits, each in the order of the CPU; every machine that runs this is little-endian. */
function hexEndpoint(hex: string, port: string): Endpoint | null {
  if (hex.length !== 8 && hex.length !== 32) return null;
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const inWord = 3 - (i & 3);
    bytes[(i & ~3) + inWord] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }
  return { address: unmapped(bytes), port: Number.parseInt(port, 16) };
}
