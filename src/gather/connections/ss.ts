import { printable } from '../../model/outcome.ts';
import { found } from '../topology/parsed.ts';
import type { ConnectionReader, ConnectionState } from './connection.ts';
import { endpointOf } from './endpoint.ts';
import { snapshotRows, udpState } from './snapshot-rows.ts';

const states: Record<string, ConnectionState> = {
  LISTEN: 'listen',
  UNCONN: 'bound',
  ESTAB: 'established',
  'SYN-SENT': 'opening',
  'SYN-RECV': 'opening',
  'FIN-WAIT-1': 'closing',
  'FIN-WAIT-2': 'closing',
  'TIME-WAIT': 'closing',
  'CLOSE-WAIT': 'closing',
  'LAST-ACK': 'closing',
  CLOSING: 'closing',
};

const row = /^\s*(tcp|udp)\s+([A-Z][A-Z0-9-]*)\s+\d+\s+\d+\s+(\S+)\s+(\S+)(?:\s+(.*))?$/;

/** `ss -H -tunaOp`: one line per socket (-O), numbers (-n), all states (-a); the heading that stands there without -H is passed over. */
export const ssReader: ConnectionReader = {
  format: 'ss',
  about: 'ss -H -tunaOp of Linux',
  detect: (head) =>
    /^\s*(?:tcp|udp)\s+(?:LISTEN|UNCONN|ESTAB|TIME-WAIT|SYN-SENT|CLOSE-WAIT|FIN-WAIT-\d|SYN-RECV|LAST-ACK)\s+\d+\s+\d+\s+\S+:\S+\s+\S+:\S+/m.test(
      head,
    )
      ? { confidence: 0.95, why: 'lines of ss' }
      : { confidence: 0, why: '' },
  open: ({ source, atMs }, sink) => {
    const rows = snapshotRows(source, atMs, sink);
    return {
      line: (text, line) => {
        if (text.trim() === '' || /^\s*Netid\s+State\b/.test(text)) return;
        const match = text.length > 10_000 ? null : row.exec(text);
        if (!match) {
          sink.mistake(
            line,
            'row',
            `${found(text)}; allowed: tcp or udp, a state, two counts, two addresses with ports`,
          );
          return;
        }
        const [, protocol, word, localText, remoteText, more] = match as unknown as string[];
        const any = localText!.includes('[') ? '::' : '0.0.0.0';
        const local = endpointOf(localText!, localText!.startsWith('*') ? '::' : any);
        const remote = endpointOf(remoteText!, local?.address.includes(':') ? '::' : '0.0.0.0');
        if (!local || !remote) {
          sink.mistake(
            line,
            'address',
            `${found(local ? remoteText : localText)}; allowed: numbers, by the flag -n of ss`,
          );
          return;
        }
        const state = protocol === 'udp' ? udpState(remote) : (states[word!] ?? 'unknown');
        const owner = /\(\("((?:[^"\\]|\\.){1,64})",pid=(\d+)/.exec(more ?? '');
        rows.add({
          protocol: protocol as 'tcp' | 'udp',
          local,
          remote,
          state,
          line,
          ...(owner ? { process: `${printable(owner[1]!, 64)}/${owner[2]}` } : {}),
        });
      },
      end: () => rows.end(),
    };
  },
};
