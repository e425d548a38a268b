import type { Connection, ConnectionSink, ConnectionState, Endpoint } from './connection.ts';
import { isUnspecified } from './endpoint.ts';

export interface SocketRow {
  protocol: 'tcp' | 'udp';
  local: Endpoint;
  remote: Endpoint;
  state: ConnectionState;
  line: number;
  process?: string;
  atMs?: number;
}

export interface SnapshotRows {
  add(row: SocketRow): void;
  /** Hands all rows over: only now it is known who listens, and so who opened what. */
  end(): void;
}

/** Rows that are held; a busy proxy has some hundred thousand. */
const maxSockets = 1_000_000;

/**
 * Collects a list of sockets and concludes who opened each connection: towards a port that this list shows listening, the remote end did.
 * A list without a single listening socket was made without them (`ss` without -a), and then nothing is concluded.
 */
export function snapshotRows(source: string, atMs: number | null, sink: ConnectionSink): SnapshotRows {
  const rows: SocketRow[] = [];
  const listening = new Set<string>();
  let left = 0;
  const key = (protocol: string, address: string, port: number) => `${protocol} ${address} ${port}`;
  const isListening = ({ protocol, local: { address, port } }: SocketRow) =>
    [address, '0.0.0.0', '::'].some((one) => listening.has(key(protocol, one, port)));

  const directionOf = (row: SocketRow): { direction: Connection['direction']; why: string } => {
    if (row.state === 'listen' || row.state === 'bound') return { direction: 'listen', why: 'socket without a peer' };
    if (isListening(row)) return { direction: 'in', why: 'the local port listens' };
    if (row.protocol === 'tcp' && listening.size === 0)
      return { direction: 'unknown', why: 'the list has no listening sockets' };
    return { direction: 'out', why: 'the local port does not listen' };
  };

  return {
    add: (row) => {
      if (rows.length >= maxSockets) {
        left++;
        return;
      }
      rows.push(row);
      if (row.state === 'listen' || row.state === 'bound')
        listening.add(key(row.protocol, row.local.address, row.local.port));
    },
    end: () => {
      for (const row of rows) {
        const { direction, why } = directionOf(row);
        const { protocol, local, state, line } = row;
        const one: Connection = {
          protocol,
          local,
          remote: direction === 'listen' ? null : row.remote,
          direction,
          state,
          atMs: row.atMs ?? atMs,
          how: `${source}; ${why}`,
          line,
        };
        if (row.process !== undefined) one.process = row.process;
        sink.connection(one);
      }
      if (left > 0) sink.gap(0, atMs, `${left} sockets beyond ${maxSockets} were not read`);
    },
  };
}

/** A UDP socket without a peer is bound, one with a peer is established; TCP says it by its state. */
export function udpState(remote: Endpoint): ConnectionState {
  return remote.port === 0 && isUnspecified(remote.address) ? 'bound' : 'established';
}
