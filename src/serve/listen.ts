import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { Problem } from './problem.ts';
import type { Peer } from './route.ts';
import { withPort } from '../stats/address.ts';

export interface TlsMaterial {
  /** PEM, the leaf first, then its authority: an agent that knows only a pin has to see it. */
  cert: string;
  key: string;
  /** PEM of the authorities of client certificates; absent: none are asked for. */
  clientAuthorities?: string;
}

export interface Listening {
  /** `https://127.0.0.1:7444`, without a trailing slash. */
  url: string;
  host: string;
  port: number;
  /** New certificates for new connections. */
  renew(tls: TlsMaterial): void;
  /** No new connections; those that are open get `graceMs` to finish. */
  close(graceMs: number): Promise<void>;
}

const httpLimits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5000,
  noDelay: true,
} as const;
const mostConnections = 20_000;

/**
 * Listens, and hands every request on with what its connection tells.
 * @throws the system's error (EADDRINUSE …)
 */
export async function listen(
  at: { host: string; port: number; tls?: TlsMaterial },
  handle: (request: Request, peer: Peer) => Promise<Response>,
): Promise<Listening> {
  const listener = getRequestListener(
    (request, env) => handle(request, peerOf(env.incoming as IncomingMessage)),
    // Bytes that are no request, such as a Host that no URL can hold.
    { overrideGlobalObjects: false, errorHandler: () => new Problem('bad-request').response() },
  );
  const onRequest = (incoming: IncomingMessage, outgoing: Parameters<typeof listener>[1]) => {
    void listener(incoming, outgoing);
  };
  const server = at.tls
    ? createTlsServer({ ...httpLimits, ...tlsOptions(at.tls) }, onRequest)
    : createServer(httpLimits, onRequest);
  server.maxConnections = mostConnections;
  server.listen({ host: at.host, port: at.port, backlog: 1024 });
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `${at.tls ? 'https' : 'http'}://${withPort(address, port)}`,
    host: address,
    port,
    renew: (tls) => (server as TlsServer).setSecureContext(tlsOptions(tls)),
    close: async (graceMs) => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function tlsOptions({ cert, key, clientAuthorities }: TlsMaterial) {
  const own = { cert, key, minVersion: clientAuthorities === undefined ? 'TLSv1.2' : 'TLSv1.3' } as const;
  if (clientAuthorities === undefined) return own;
  // Not refused by TLS: enrolment has no certificate yet, and an ended one may still be renewed. That it was proven to be the
  // peer's is TLS's part; whether it is good is asked at every request (agents.ts), so that a revocation needs no new connection.
  return { ...own, ca: clientAuthorities, requestCert: true, rejectUnauthorized: false };
}

const peers = new WeakMap<Socket, Omit<Peer, 'target'>>();

function peerOf({ socket, url }: IncomingMessage): Peer {
  let known = peers.get(socket);
  if (!known) {
    const isTls = socket instanceof TLSSocket;
    const certificate = isTls ? (socket.getPeerX509Certificate() ?? null) : null;
    known = { address: socket.remoteAddress ?? '', tls: isTls, certificate };
    peers.set(socket, known);
  }
  return { ...known, target: url ?? '' };
}
