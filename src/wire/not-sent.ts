import type { Socket } from 'node:net';
import { IPPROTO_TCP } from './abi.ts';
import { libc, memory } from './libc.ts';

/**
 * TCP_NOTSENT_LOWAT (linux/tcp.h): how much may wait in the kernel behind what is already under way. Without it a bulk sender
 * fills a buffer of megabytes, and whatever else is sent on the connection waits behind them: a delay that the sender made
 * itself and no network has.
 */
export const TCP_NOTSENT_LOWAT = 25;
export const UNSENT_BYTES = 16 << 10;

/** Bounds what waits unsent in the kernel behind a socket of Node; where it cannot, nothing happens. */
export function limitUnsent(socket: Socket, platform: string): void {
  // Node has no public way to the descriptor of a socket.
  const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  if (platform !== 'linux' || fd === undefined || fd < 0) return;
  const value = memory(4);
  value.writeInt32LE(UNSENT_BYTES, 0);
  libc().setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, value, 4);
}
