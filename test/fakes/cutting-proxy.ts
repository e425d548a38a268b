import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CuttingProxy {
  port: number;
  /** Connections that were cut. */
  cuts: number;
  /** Cut before the next octets go on in this direction; they are lost with the connection. */
  cutNext(direction: 'to server' | 'to client', after?: number): void;
  cutAll(): void;
  /** While true octets are held back, as behind a router that has died. */
  hold: boolean;
  close(): Promise<void>;
}

/** A way to a server on loopback that loses its connections at the worst moments. */
export async function cuttingProxy(to: number): Promise<CuttingProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let next: { direction: 'to server' | 'to client'; left: number } | null = null;
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port: to });
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    const cut = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    const pass = (from: Socket, on: Socket, direction: 'to server' | 'to client') => {
      from.on('data', (chunk: Buffer) => {
        if (proxy.hold) return;
        if (next?.direction === direction && next.left-- <= 0) {
          next = null;
          proxy.cuts++;
          cut();
        } else on.write(chunk);
      });
      from.on('error', cut);
      from.on('close', cut);
    };
    pass(client, upstream, 'to server');
    pass(upstream, client, 'to client');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: CuttingProxy = {
    port: (server.address() as AddressInfo).port,
    cuts: 0,
    hold: false,
    cutNext: (direction, after = 0) => void (next = { direction, left: after }),
    cutAll: () => {
      for (const [client] of pairs) client.destroy();
    },
    close: async () => {
      const gone = once(server, 'close');
      server.close();
      proxy.cutAll();
      await gone;
    },
  };
  return proxy;
}
