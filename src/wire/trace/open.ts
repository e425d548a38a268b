import { errnoOf } from '../error-queue.ts';
import { openIcmpTransport } from './icmp.ts';
import { type IcmpListener, openIcmpListener } from './icmp-listener.ts';
import { openConnectTransport } from './tcp-connect.ts';
import { openTcpTransport } from './tcp.ts';
import type { TraceTarget, TraceTransport } from './transport.ts';
import { openUdpTransport } from './udp.ts';

/**
 * The best transport for a method that this process may use; its `how` says which. `tcp` becomes `tcp-connect` without
 * CAP_NET_RAW; `icmp` needs that or ping sockets.
 * @throws SystemCallError, EACCES or EPERM where the method is not permitted
 */
export function openTraceTransport(method: TraceTransport['method'], target: TraceTarget): TraceTransport {
  const listener = maybeListener(target);
  try {
    if (method === 'udp') return openUdpTransport(target, listener);
    if (method === 'icmp') return openIcmpTransport(target, listener);
    if (method === 'tcp' && listener !== null) return openTcpTransport(target, listener);
    const instead = method === 'tcp' ? '; bare SYNs need CAP_NET_RAW' : '';
    return openConnectTransport(target, listener, instead);
  } catch (error) {
    listener?.close();
    throw error;
  }
}

function maybeListener(target: TraceTarget): IcmpListener | null {
  try {
    return openIcmpListener(target);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EPERM' || errno === 'EACCES') return null;
    throw error;
  }
}
