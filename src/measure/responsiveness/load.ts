import type { ClientHttp2Stream } from 'node:http2';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import { codedError, type Link, type LinkOptions, openLink } from '../inference/link.ts';
import { head, widenWindows } from './ask.ts';
import type { TestUrls } from './config.ts';

export type Direction = 'download' | 'upload';

/** A connection that transfers as much as it can, and on which probes can be sent meanwhile. */
export interface LoadConnection {
  link: Link;
  /** Octets transferred so far: taken off the stream, or acknowledged by the peer's kernel. */
  bytes(): Promise<number>;
  /** Why it ended by itself; null while it runs. */
  failure(): Error | null;
  close(): Promise<void>;
}

const windowBytes = 16 << 20;
const uploadChunk = Buffer.alloc(16 << 10);
/**
 * How long our own queue in front of the kernel may take, ms: a probe on the same connection waits behind it, which no network is
 * to blame for. It shrinks while it takes longer, and grows whenever it ran empty, because then the network was kept waiting.
 */
const queueMsMax = 10;
const queueBytesMax = 4 << 20;

/** @throws LinkError, or an Error with a code when the server does not speak HTTP/2 */
export async function openLoad(
  direction: Direction,
  urls: TestUrls,
  options: LinkOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
): Promise<LoadConnection> {
  const url = direction === 'download' ? urls.large : urls.upload;
  const link = await openLink(url, { ...options, bulk: true }, transport, io, signal);
  const session = link.http2;
  if (!session) {
    await link.close();
    throw codedError('EPROTO', `${url.host} does not speak HTTP/2`);
  }
  await widenWindows(session, windowBytes);
  let [received, failure] = [0, null as Error | null];
  let closing = false;
  const fail = (error: Error): void => {
    if (!closing) failure ??= error;
  };
  const stream = session.request(head(url, direction === 'download' ? 'GET' : 'POST'));
  stream.on('error', fail);
  session.on('error', fail);
  stream.once('response', (headers) => {
    const status = Number(headers[':status']);
    // An upload is answered at its end only, or when it is refused.
    if (status !== 200) fail(codedError('EBADMSG', `status ${status} for the ${direction}`));
  });
  stream.once('close', () => fail(codedError('ECONNRESET', `the server ended the ${direction}`)));
  if (direction === 'download') stream.on('data', (chunk: Buffer) => void (received += chunk.length));
  else {
    stream.resume();
    pump(stream, io);
  }
  return {
    link,
    bytes: async () => {
      if (direction === 'download') return received;
      // What the peer's kernel has acknowledged, of TLS records; without TCP_INFO, what ours has taken.
      const info = await link.tcp.readInfo('load');
      return info?.bytesAcked ?? link.tcp.trace.sendings.at(-1)?.endOffset ?? 0;
    },
    failure: () => failure,
    close: async () => {
      closing = true;
      stream.close();
      await link.close();
    },
  };
}

/** Writes for ever: as many chunks at a time as it takes to keep the kernel busy, and not more. */
function pump(stream: ClientHttp2Stream, io: Io): void {
  let [limit, waiting, shrunkMs] = [uploadChunk.length, 0, -Infinity];
  const adapt = (startMs: number, nowMs: number): void => {
    if (waiting === 0) limit = Math.min(queueBytesMax, limit + Math.max(uploadChunk.length, limit / 2));
    // Once for all that was handed over before it shrank: those chunks tell of the queue as it was then.
    else if (nowMs - startMs > queueMsMax && startMs > shrunkMs) {
      limit = Math.max(uploadChunk.length, limit * 0.8);
      shrunkMs = nowMs;
    }
  };
  const write = (): void => {
    const startMs = io.clock.monoMs();
    waiting += uploadChunk.length;
    stream.write(uploadChunk, (error) => {
      waiting -= uploadChunk.length;
      if (error) return;
      adapt(startMs, io.clock.monoMs());
      fill();
    });
  };
  const fill = (): void => {
    while (waiting + uploadChunk.length <= limit && !stream.destroyed) write();
  };
  fill();
}
