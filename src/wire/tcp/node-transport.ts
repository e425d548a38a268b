import { IPPROTO_TCP, TCP_INFO } from '../abi.ts';
import { connect, type Socket } from 'node:net';
import { libc, memory } from '../libc.ts';
import { ArrivalStream } from './arrival-stream.ts';
import { ConnectError, newTrace, type TcpConnection, type TcpTarget, type TcpTransport } from './connection.ts';
import { parseTcpInfo, type TcpInfo, tcpInfoSize } from './tcp-info.ts';

/** Unread by whoever asked for the connection: beyond this we stop reading. */
const pauseAboveBytes = 8 << 20;

/**
 * Connections on Node's own sockets: every platform, no privilege. Receive times are taken when the event loop hands the bytes
 * over, so they carry its delays; on Linux TCP_INFO is still read from the socket's descriptor.
 * @param options.monoMs CLOCK_MONOTONIC in ms
 */
export function openNodeTransport(options: { monoMs: () => number; platform: string; reason: string }): TcpTransport {
  const open = new Set<Socket | ArrivalStream>();
  let nextId = 1;
  return {
    stamps: 'user',
    tap: false,
    about: `user-level receive times on Node's own sockets (${options.reason}): bounds are wider`,
    ready: Promise.resolve(),
    connect: (target, signal) => dial(nextId++, target, signal, options, open),
    close: async () => {
      for (const one of open) one.destroy();
    },
  };
}

async function dial(
  id: number,
  target: TcpTarget,
  signal: AbortSignal,
  { monoMs, platform }: { monoMs: () => number; platform: string },
  open: Set<Socket | ArrivalStream>,
): Promise<TcpConnection> {
  signal.throwIfAborted();
  const trace = newTrace(id, target, monoMs());
  const socket = connect({
    host: target.address,
    port: target.port,
    family: target.family,
    noDelay: true,
    allowHalfOpen: true,
  });
  open.add(socket);
  socket.once('close', () => open.delete(socket));
  await established(socket, target, signal);
  trace.connectedMs = monoMs();
  const readInfo = async (phase: string): Promise<TcpInfo | null> => {
    const info = platform === 'linux' ? tcpInfoOf(socket) : null;
    if (info) trace.info.push({ atMs: monoMs(), phase, info });
    return info;
  };
  const first = await readInfo('connected');
  trace.handshakeRttMs = first?.rttMs ?? null;
  trace.synRetransmits = first?.totalRetrans ?? null;
  let unread = 0;
  let received = 0;
  let written = 0;
  const stream = new ArrivalStream({
    write: (bytes, done) => {
      written += bytes.length;
      trace.sendings.push({ endOffset: written, calledMs: monoMs(), leftMs: null, ackedMs: null });
      socket.write(bytes, (error) => done(error ?? undefined));
    },
    shutdown: () => socket.end(),
    destroyed: () => socket.destroy(),
    consumed: (bytes) => {
      unread -= bytes;
      if (socket.isPaused() && unread < pauseAboveBytes) socket.resume();
    },
  });
  open.add(stream);
  socket.once('close', () => open.delete(stream));
  socket.on('data', (bytes) => {
    const atMs = monoMs();
    received += bytes.length;
    unread += bytes.length;
    if (unread > pauseAboveBytes) socket.pause();
    const arrival = { endOffset: received, atMs, readAtMs: atMs, stamp: 'user' as const };
    trace.arrivals.push(arrival);
    stream.deliver(bytes, arrival);
  });
  socket.once('end', () => stream.deliver(null, null));
  socket.on('error', (error) => stream.destroy(error));
  return {
    trace,
    stream,
    get arriving() {
      return stream.arriving;
    },
    readInfo,
    close: async () => {
      stream.destroy();
      socket.destroy();
    },
  };
}

function established(socket: Socket, target: TcpTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    const onError = (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', onAbort);
      reject(new ConnectError(error.syscall ?? 'connect', error.code ?? 'EUNKNOWN', target));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    // Destroyed by the transport's close(): no error is told, and nobody may wait for ever.
    socket.once('close', () => reject(new ConnectError('connect', 'ECANCELED', target)));
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
      resolve();
    });
  });
}

/** TCP_INFO by the descriptor behind Node's socket; Node keeps it in an undocumented place, so its absence is no error. */
function tcpInfoOf(socket: Socket): TcpInfo | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = handle && typeof handle === 'object' ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number' || fd < 0) return null;
  const bytes = memory(tcpInfoSize);
  const length = memory(4);
  length.writeUInt32LE(tcpInfoSize, 0);
  if (libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes, length) < 0) return null;
  return parseTcpInfo(bytes, length.readUInt32LE(0));
}
