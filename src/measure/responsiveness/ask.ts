import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Io } from '../../wire/io.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { codedError, type Link } from '../inference/link.ts';

/** A request over HTTP/2 and its whole answer. */
export interface Asked {
  status: number;
  body: Buffer;
  /** From handing over the request to the last octet of the answer, by kernel stamps where there are some. */
  durationMs: number;
}

/**
 * GET, whole, at most `maxBytes`. The time ends when the last octet was in our kernel, not when this thread got round to it; it
 * begins with the call, because what queues inside this process and its kernel is part of what an application sees.
 * @throws Error with a code when there is no whole answer
 */
export async function ask(
  link: Link,
  url: URL,
  io: Io,
  signal: AbortSignal,
  timeoutMs: number,
  maxBytes = 1 << 16,
): Promise<Asked> {
  const session = link.http2;
  if (!session) throw codedError('EPROTO', `${url.host} does not speak HTTP/2`);
  const { signal: deadline, clear } = deadlineOf(signal, timeoutMs);
  const startMs = io.clock.monoMs();
  try {
    const stream = session.request(head(url, 'GET'));
    return await wholeAnswer(stream, link, startMs, deadline, maxBytes, io);
  } finally {
    clear();
  }
}

export function head(url: URL, method: 'GET' | 'POST'): Record<string, string> {
  return {
    ':method': method,
    ':scheme': 'https',
    ':authority': url.host,
    ':path': `${url.pathname}${url.search}`,
    'accept-encoding': 'identity',
    'user-agent': 'inferpath',
  };
}

function wholeAnswer(
  stream: ClientHttp2Stream,
  link: Link,
  startMs: number,
  signal: AbortSignal,
  maxBytes: number,
  io: Io,
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let [status, bytes, lastMs] = [0, 0, startMs];
    const stop = () => {
      stream.close();
      reject(signal.reason as Error);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    stream.once('response', (headers) => (status = Number(headers[':status'])));
    stream.on('data', (chunk: Buffer) => {
      lastMs = link.tcp.arriving?.atMs ?? io.clock.monoMs();
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else stream.destroy(codedError('EMSGSIZE', `an answer of more than ${maxBytes} octets`));
    });
    stream.once('error', reject);
    stream.once('close', () => {
      signal.removeEventListener('abort', stop);
      if (status === 0) reject(codedError('ECONNRESET', 'no answer'));
      // Stamps are mapped between clocks with an error of microseconds.
      else resolve({ status, body: Buffer.concat(chunks), durationMs: Math.max(0, lastMs - startMs) });
    });
  });
}

/** Lets the peer send as much as a fast, long path holds; the default of HTTP/2 is 64 KiB. */
export async function widenWindows(session: ClientHttp2Session, bytes: number): Promise<void> {
  // Before that Node forgets what it is told of windows.
  if (session.connecting) await once(session, 'connect');
  session.settings({ initialWindowSize: bytes });
  session.setLocalWindowSize(bytes);
}
