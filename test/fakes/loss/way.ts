import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a port of loopback that can be cut: both ends of each connection go down together, and nothing new gets through. */
export interface Way {
  port: number;
  isCut: boolean;
  /** Connections that were torn or refused by a cut. */
  lost: number;
  cut(): void;
  mend(): void;
  close(): void;
}

export async function wayTo(port: number): Promise<Way> {
  const under = new Set<Socket>();
  const server = createServer((socket) => {
    if (way.isCut) {
      way.lost++;
      socket.destroy();
      return;
    }
    const onward = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      under.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        under.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const way: Way = {
    port: (server.address() as AddressInfo).port,
    isCut: false,
    lost: 0,
    cut: () => {
      way.isCut = true;
      way.lost += under.size / 2;
      for (const socket of under) socket.destroy();
    },
    mend: () => (way.isCut = false),
    close: () => {
      server.close();
      for (const socket of under) socket.destroy();
    },
  };
  return way;
}
