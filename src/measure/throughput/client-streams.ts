import type { Io } from '../../wire/io.ts';
import { ChannelTimeoutError } from '../../wire/iperf/channel.ts';
import { encodeCookie } from '../../wire/iperf/control.ts';
import { isWelcome, UDP_HELLO } from '../../wire/iperf/datagram.ts';
import { memory } from '../../wire/libc.ts';
import { connectTcp, connectUdp, readTcpInfo, receiveNow, sendNow } from '../../wire/mover/sockets.ts';
import type { ClientOptions } from './options.ts';
import type { DataStream } from './transfer.ts';

/** A stream's first datagram may be lost; stock iperf3 waits as long. */
const UDP_WELCOME_MS = 10_000;

/** A descriptor that from now on the caller has to close; with its round trip, where the kernel has one. */
type Opened = (fd: number, rttMs: number | null) => void;

/** The data connections of a test, as the server numbers them. @throws SystemCallError, ChannelTimeoutError */
export async function openStreams(
  options: ClientOptions,
  cookie: string,
  io: Io,
  signal: AbortSignal,
  opened: Opened,
): Promise<DataStream[]> {
  const { direction, parallel, protocol } = options;
  const roles: DataStream['role'][] =
    direction === 'both' ? ['send', 'receive'] : [direction === 'up' ? 'send' : 'receive'];
  const streams: DataStream[] = [];
  // One after the other: both sides number streams in the order in which they are accepted.
  for (const role of roles.flatMap((r) => Array.from({ length: parallel }, () => r))) {
    const fd = await (protocol === 'udp'
      ? openUdpStream(options, io, signal, opened)
      : openTcpStream(options, cookie, signal, opened));
    streams.push({ role, fd });
  }
  return streams;
}

async function openTcpStream(
  options: ClientOptions,
  cookie: string,
  signal: AbortSignal,
  opened: Opened,
): Promise<number> {
  const { address, port, connectTimeoutMs } = options;
  const fd = await connectTcp({ address, port }, options, { timeoutMs: connectTimeoutMs, signal });
  opened(fd, readTcpInfo(fd)?.rttMs ?? null);
  sendNow(fd, encodeCookie(cookie), address);
  return fd;
}

/** The server answers from a socket of its own; until then it knows of no other stream. */
async function openUdpStream(options: ClientOptions, io: Io, signal: AbortSignal, opened: Opened): Promise<number> {
  const { address, port } = options;
  const fd = await connectUdp({ address, port }, options);
  opened(fd, null);
  sendNow(fd, UDP_HELLO, address);
  const buffer = memory(64);
  const untilMs = io.clock.monoMs() + UDP_WELCOME_MS;
  while (io.clock.monoMs() < untilMs) {
    const got = receiveNow(fd, buffer, address);
    if (got !== null && isWelcome(buffer.subarray(0, got))) return fd;
    if (got === null) await io.clock.sleep(1, signal);
  }
  throw new ChannelTimeoutError('answer to the first datagram', UDP_WELCOME_MS);
}
