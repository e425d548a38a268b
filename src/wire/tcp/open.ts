import type { TcpTransport } from './connection.ts';
import { openKernelTransport } from './kernel-transport.ts';
import { openNodeTransport } from './node-transport.ts';

/**
 * The one door to TCP: kernel stamps where the platform has them, Node's sockets elsewhere. The transport's `about` says which
 * and why, once, for the top of the output.
 * @param options.tap look at segment headers too, where allowed
 */
export function openTransport(options: { platform: string; tap: boolean; monoMs: () => number }): TcpTransport {
  const { platform, monoMs } = options;
  if (platform !== 'linux') return openNodeTransport({ monoMs, platform, reason: `no kernel stamps on ${platform}` });
  try {
    return openKernelTransport({ tap: options.tap });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return openNodeTransport({ monoMs, platform, reason: `kernel stamps failed: ${reason}` });
  }
}
