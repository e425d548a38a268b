import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Exchange } from '../../../model/capture/exchange.ts';
import { newStreamReader } from './stream-reader.ts';

/** One piece of a connection as it passed. */
export interface Piece {
  direction: 0 | 1;
  bytes: Buffer;
  atMs: number;
}

/** A relay on loopback that notes what passes and when: what a capture would show, without one. */
export interface Tap {
  port: number;
  /** Of each connection, in the order in which they came. */
  connections: Piece[][];
  /** All connections have ended on both sides. */
  idle(): Promise<void>;
  stop(): void;
}

export async function tapBefore(targetPort: number): Promise<Tap> {
  const connections: Piece[][] = [];
  const open = new Set<Socket>();
  const relay = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    const pieces: Piece[] = [];
    connections.push(pieces);
    for (const [from, to, direction] of [
      [near, far, 0],
      [far, near, 1],
    ] as const) {
      open.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes: Buffer) => {
        pieces.push({ direction, bytes, atMs: performance.now() });
        to.write(bytes);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroySoon();
      });
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as AddressInfo).port,
    connections,
    async idle() {
      while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    stop() {
      relay.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/**
 * What the reader makes of a connection.
 * @param cutAt most octets of a piece that are captured
 * @param inMiddle the capture began after the connection
 */
export function read(pieces: readonly Piece[], cutAt = Infinity, inMiddle = false): Exchange[] {
  const exchanges: Exchange[] = [];
  const sink = newStreamReader((exchange) => exchanges.push(exchange));
  const offsets = [0, 0];
  if (inMiddle) {
    sink.gap(0, 0);
    sink.gap(1, 0);
  }
  for (const { direction, bytes, atMs } of pieces) {
    const kept = Math.min(cutAt, bytes.length);
    sink.data(direction, bytes, 0, kept, bytes.length - kept, atMs, atMs, offsets[direction]!);
    offsets[direction]! += bytes.length;
  }
  sink.end(pieces.at(-1)?.atMs ?? 0);
  return exchanges;
}
