import { printable } from '../../model/outcome.ts';
import { found } from '../topology/parsed.ts';
import type { ConnectionReader, ConnectionState } from './connection.ts';
import { endpointOf } from './endpoint.ts';
import { snapshotRows, udpState } from './snapshot-rows.ts';

/** Linux and Windows use the same words but for these; a Windows in another language is told from its foreign port 0. */
const states: Record<string, ConnectionState> = {
  LISTEN: 'listen',
  LISTENING: 'listen',
  ESTABLISHED: 'established',
  SYN_SENT: 'opening',
  SYN_RECV: 'opening',
  SYN_RECEIVED: 'opening',
  FIN_WAIT1: 'closing',
  FIN_WAIT2: 'closing',
  FIN_WAIT_1: 'closing',
  FIN_WAIT_2: 'closing',
  TIME_WAIT: 'closing',
  CLOSE_WAIT: 'closing',
  LAST_ACK: 'closing',
  CLOSING: 'closing',
  CLOSE: 'closed',
  CLOSED: 'closed',
  // Windows: a local port is taken and nothing is sent yet.
  BOUND: 'closed',
};

const linuxRow = /^(tcp|udp)6?\s+\d+\s+\d+\s+(\S+)\s+(\S+)(?:\s+([A-Z][A-Z0-9_]*))?(?:\s+(\d+\/\S.*|-))?\s*$/;
const windowsRow = /^\s+(TCP|UDP)\s+(\S+)\s+(\S+)(?:\s+([^\s\d]\S*))?(?:\s+(\d+))?\s*$/;
/** Headings, and lines about programs that Windows puts under a row with -b. */
const passed = /^\s*(?:Active |Aktive |Connexions |Proto\b|Conexiones |\(|\[.*\]\s*$|Can not obtain ownership)/;

/** `netstat -tunap` of Linux and `netstat -ano` of Windows. */
export const netstatReader: ConnectionReader = {
  format: 'netstat',
  about: 'netstat -tunapW of Linux, netstat -ano of Windows',
  detect: (head) => {
    if (/^Active Internet connections/m.test(head)) return { confidence: 1, why: 'heading of netstat' };
    return /^(?:tcp|udp)6?\s+\d+\s+\d+\s+\S+:\S+\s+\S+:\S+|^\s+(?:TCP|UDP)\s+\S+:\d+\s+\S+:(?:\d+|\*)/m.test(head)
      ? { confidence: 0.9, why: 'rows of netstat' }
      : { confidence: 0, why: '' };
  },
  open: ({ source, atMs }, sink) => {
    const rows = snapshotRows(source, atMs, sink);
    return {
      line: (text, line) => {
        if (text.trim() === '' || passed.test(text)) return;
        const match = text.length > 2000 ? null : (linuxRow.exec(text) ?? windowsRow.exec(text));
        if (!match) {
          if (!/^\s+\S+\s*$/.test(text))
            sink.mistake(line, 'row', `${found(text)}; allowed: rows of netstat -tunap or -ano`);
          return;
        }
        const [, word, localText, remoteText, stateText, owner] = match;
        const protocol = word!.toLowerCase() as 'tcp' | 'udp';
        const cut = [localText!, remoteText!].find(isCut);
        if (cut !== undefined) {
          sink.mistake(
            line,
            'address',
            `${found(cut)} as wide as netstat lets an IPv6 address be; allowed: whole ones, by -W`,
          );
          return;
        }
        const local = endpointOf(localText!, '0.0.0.0');
        const remote = endpointOf(remoteText!, '0.0.0.0');
        if (!local || !remote) {
          sink.mistake(
            line,
            'address',
            `${found(local ? remoteText : localText)}; allowed: numbers, by the flag -n of netstat`,
          );
          return;
        }
        const state = protocol === 'udp' ? udpState(remote) : tcpState(stateText, remote.port);
        const process = owner === undefined || owner === '-' ? {} : { process: printable(owner.trim(), 64) };
        rows.add({ protocol, local, remote, state, line, ...process });
      },
      end: () => rows.end(),
    };
  },
};

const tcpState = (word: string | undefined, remotePort: number): ConnectionState => {
  if (remotePort === 0 && word !== 'BOUND') return 'listen';
  return states[word ?? ''] ?? 'unknown';
};

/** Linux without -W cuts an address so that it fits 23 columns with its port: a wrong one, and nothing says so. */
function isCut(text: string): boolean {
  return !text.startsWith('[') && text.length === 23 && text.split(':').length > 3;
}
