import { ConnectError, type TcpTransport } from '../../wire/tcp/connection.ts';
import type { Io } from '../../wire/io.ts';

/**
 * The same outside world, with one TCP transport for all runs: a probe by itself opens one and closes it, and the thread behind it
 * takes longer to start than a handshake to the other end of the world takes to come back. `close` ends it.
 */
export function withSharedSockets(io: Io): { io: Io; close: () => Promise<void> } {
  const open = new Map<boolean, TcpTransport>();
  const closing: Promise<void>[] = [];
  const openTcp = ({ tap }: { tap: boolean }): TcpTransport => {
    const known = open.get(tap) ?? io.sockets.openTcp({ tap });
    open.set(tap, known);
    return {
      stamps: known.stamps,
      tap: known.tap,
      about: known.about,
      ready: known.ready,
      connect: async (target, signal) => {
        try {
          return await known.connect(target, signal);
        } catch (error) {
          // Neither the network nor an abort: the thread itself is gone. The next run gets a new one.
          const isBroken = !(error instanceof ConnectError) && !signal.aborted;
          if (isBroken && open.get(tap) === known && open.delete(tap))
            closing.push(known.close().catch(() => undefined));
          throw error;
        }
      },
      close: () => Promise.resolve(),
    };
  };
  return {
    io: { ...io, sockets: { openTcp } },
    close: async () => {
      await Promise.all([...[...open.values()].map((transport) => transport.close()), ...closing]);
      open.clear();
    },
  };
}
