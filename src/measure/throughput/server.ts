import { setMaxListeners } from 'node:events';
import { Socket } from 'node:net';
import type { Io } from '../../wire/io.ts';
import { ControlChannel } from '../../wire/iperf/channel.ts';
import { type FromListener, IperfListener } from '../../wire/iperf/listener.ts';
import { closeSocket, localAddress, sendNow } from '../../wire/mover/sockets.ts';
import { AddressLocks } from './address-locks.ts';
import type { ServedTest } from '../../model/throughput.ts';
import { ServerSession, type SessionLimits } from './server-session.ts';

export interface ServerOptions extends SessionLimits {
  address: string;
  port: number;
  /** Tests at the same time; who comes beyond is told that the server is busy. */
  maxClients: number;
  /** Accept one test, then end. */
  once: boolean;
}

export interface ServerEvents {
  accepted?(test: { id: number; client: string }): void;
  finished?(test: ServedTest): void;
  /** A connection that was none of ours, or came when there was no room. */
  turnedAway?(client: string, reason: string): void;
}

export interface RunningServer {
  address: string;
  port: number;
  /** Resolves after the one test of `once`; never otherwise. */
  done: Promise<void>;
  /** Ends running tests as an iperf3 server does, then the listener. */
  close(): Promise<void>;
}

const BUSY = Buffer.from([0xff]);

/**
 * An iperf3 server that serves several clients at once: every TCP connection begins with the cookie of its test, and an UDP stream
 * belongs to the one test of its address that is opening streams.
 * @throws SystemCallError when it cannot listen
 */
export function startServer(options: ServerOptions, io: Io, events: ServerEvents = {}): RunningServer {
  const sessions = new Map<string, ServerSession>();
  const over = new AbortController();
  // Every session waits for it in several places; that is many, not a leak.
  setMaxListeners(0, over.signal);
  const locks = new AddressLocks();
  let markDone: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    markDone = resolve;
  });
  let nextId = 1;

  const greet = (hello: { address: string; port: number }) => {
    for (const session of sessions.values()) if (session.offerUdp(hello)) return;
  };

  const admit = (connection: Extract<FromListener, { kind: 'connection' }>) => {
    const { fd, cookie, address } = connection;
    const known = sessions.get(cookie);
    if (known?.offerTcp(fd)) return;
    if (known || sessions.size >= options.maxClients || over.signal.aborted || (options.once && nextId > 1)) {
      turnAway(fd, address);
      events.turnedAway?.(address, known ? 'not expected at this point of its test' : 'busy');
      return;
    }
    const local = localAddress(fd) ?? { address: listener.address, port: listener.port };
    const channel = new ControlChannel(new Socket({ fd, readable: true, writable: true }));
    const client = { address, port: connection.port, local };
    const session = new ServerSession({ id: nextId++, client, channel, limits: options, io, locks, greet });
    sessions.set(cookie, session);
    events.accepted?.({ id: session.id, client: address });
    void session.run(over.signal).then((test) => {
      sessions.delete(cookie);
      events.finished?.(test);
      if (options.once) markDone();
    });
  };

  const listener = new IperfListener(options, (event) => {
    if (event.kind === 'connection') admit(event);
    else if (event.kind === 'dropped') events.turnedAway?.(event.address, event.reason);
    else greet(event);
  });
  return {
    address: listener.address,
    port: listener.port,
    done,
    close: async () => {
      over.abort();
      await listener.close();
      await Promise.all([...sessions.values()].map((session) => session.ended));
    },
  };
}

function turnAway(fd: number, address: string): void {
  try {
    sendNow(fd, BUSY, address);
  } catch {
    // It is gone already, which is what we want.
  }
  closeSocket(fd);
}
