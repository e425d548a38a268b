import { libc, memory } from '../libc.ts';

const POLLFD_BYTES = 8;
const POLLIN = 1;
/** Below this asking each socket is as quick as asking which to ask. */
const FEW = 3;
const now = memory(16);

/** Those sockets that have something to read, on either queue (POLLERR is always reported), by one system call. */
export function readySockets<T extends { socket: { fd: number } }>(sockets: readonly T[]): readonly T[] {
  if (sockets.length < FEW) return sockets;
  const fds = memory(sockets.length * POLLFD_BYTES);
  sockets.forEach(({ socket }, i) => {
    fds.writeInt32LE(socket.fd, i * POLLFD_BYTES);
    fds.writeInt16LE(POLLIN, i * POLLFD_BYTES + 4);
  });
  if (libc().ppoll(fds, sockets.length, now, null, 8) <= 0) return [];
  return sockets.filter((_, i) => fds.readInt16LE(i * POLLFD_BYTES + 6) !== 0);
}
