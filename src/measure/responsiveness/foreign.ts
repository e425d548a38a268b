import type { ConnectionTrace } from '../../wire/tcp/connection.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import type { Io } from '../../wire/io.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { codedError, type Link, type LinkOptions, openLink } from '../inference/link.ts';
import { ask } from './ask.ts';
import type { ForeignProbe } from './core.ts';

/**
 * A probe on a connection of its own, as a program that begins to talk to a server: TCP handshake, TLS handshake divided by its round
 * trips, a request of one octet.
 * @throws what openLink() and ask() throw
 */
export async function probeForeign(
  url: URL,
  options: LinkOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<ForeignProbe> {
  const { signal: deadline, clear } = deadlineOf(signal, timeoutMs);
  let link: Link | null = null;
  try {
    link = await openLink(url, { ...options, connectTimeoutMs: timeoutMs }, transport, io, deadline);
    const { trace } = link.tcp;
    const tcpMs = connectMs(trace, link.setUp.endMs);
    const roundTrips = link.tlsSocket?.getProtocol() === 'TLSv1.3' ? 1 : 2;
    const tlsMs = (handshakeMs(trace, roundTrips) ?? userMs(link)) / roundTrips;
    const { durationMs, status } = await ask(link, url, io, deadline, timeoutMs);
    if (status !== 200) throw codedError('EBADMSG', `status ${status} for the small object`);
    return { tcpMs, tlsMs, httpMs: durationMs };
  } finally {
    clear();
    await link?.close();
  }
}

/** The kernel's own measure of the handshake; where a SYN had to be sent again, all that it took, as any program feels it. */
export function connectMs(
  {
    handshakeRttMs,
    synRetransmits,
    connectedMs,
    connectMs,
  }: Pick<ConnectionTrace, 'handshakeRttMs' | 'synRetransmits' | 'connectedMs' | 'connectMs'>,
  laterMs: number,
): number {
  if (handshakeRttMs !== null && !synRetransmits) return handshakeRttMs;
  return Math.max(0, (connectedMs ?? laterMs) - connectMs);
}

/**
 * From our first flight leaving to the server's last one arriving, by what the kernel saw: what our own thread needs for
 * certificates is no network. The server's flight is over when we send the next one: the Finished of TLS 1.3 (RFC 8446 §2), that
 * of TLS 1.2 after two (RFC 5246 §7.3). Null where the trace does not show it.
 */
export function handshakeMs(trace: Pick<ConnectionTrace, 'sendings' | 'arrivals'>, roundTrips: 1 | 2): number | null {
  const [first] = trace.sendings;
  const next = trace.sendings[roundTrips];
  if (!first) return null;
  const flight = trace.arrivals.filter(({ readAtMs }) => next === undefined || readAtMs <= next.calledMs);
  const last = flight.at(-1);
  return last ? Math.max(0, last.atMs - (first.leftMs ?? first.calledMs)) : null;
}

function userMs({ setUp }: Link): number {
  return setUp.tls ? setUp.tls.endMs - setUp.tls.startMs : 0;
}
