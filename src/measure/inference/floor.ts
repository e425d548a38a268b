import { request as requestHttp } from 'node:http';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import type { BuiltRequest } from '../dialect/dialect.ts';
import type { RoundTrips } from './context.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { httpTarget, type Link, type LinkOptions, openLink } from './link.ts';

const attempts = 4;
const timeoutMs = 2000;

/** Answers to the trivial question: last byte left to first byte here, ms. */
export interface TrivialAnswers {
  /** The first, which finds everything cold: a gateway connects to its server only now. */
  coldMs: number;
  lowestMs: number;
  /** Median and highest of all but the first. */
  typicalMs: number;
  highestMs: number;
}

/**
 * How fast the endpoint answers when there is nothing to think about: a GET where only POST is served, which any server
 * refuses at once. What that takes beyond the round trip bounds everything that is neither model nor the way we see: a way
 * behind a TCP terminator, a gateway's own work. Of a few; null when the endpoint does not answer such a request.
 */
export async function askTrivially(
  built: BuiltRequest,
  options: LinkOptions,
  transport: TcpTransport,
  roundTrips: RoundTrips,
  io: Io,
  signal: AbortSignal,
): Promise<TrivialAnswers | null> {
  let link: Link | null = null;
  const answersMs: number[] = [];
  const { signal: deadline, clear } = deadlineOf(signal, timeoutMs + attempts * timeoutMs);
  try {
    link = await openLink(built.url, { ...options, http2: false }, transport, io, deadline);
    roundTrips.add(link.tcp.trace);
    for (let i = 0; i < attempts && link.usable() && !deadline.aborted; i++) {
      const one = deadlineOf(deadline, timeoutMs);
      const ms = await once(link, built, one.signal);
      one.clear();
      // What did not come once will not come the next time, and may have cost the whole time-out.
      if (ms === null) break;
      answersMs.push(ms);
    }
    const info = await link.tcp.readInfo('floor');
    if (info) roundTrips.addSample(info.minRttMs);
  } catch {
    // An endpoint that cannot be reached is the finding of the requests themselves, not of this.
  }
  clear();
  await link?.close();
  const [coldMs, ...more] = answersMs;
  if (coldMs === undefined) return null;
  const warm = (more.length > 0 ? more : [coldMs]).toSorted((a, b) => a - b);
  return {
    coldMs,
    lowestMs: Math.min(coldMs, ...warm),
    typicalMs: warm[warm.length >> 1] as number,
    highestMs: warm.at(-1) as number,
  };
}

function once(link: Link, built: BuiltRequest, signal: AbortSignal): Promise<number | null> {
  const { trace } = link.tcp;
  const { url } = built;
  const { 'content-type': _, ...headers } = built.headers;
  return new Promise((resolve) => {
    const sentBefore = trace.sendings.length;
    const request = requestHttp({
      ...httpTarget(link, url),
      method: 'GET',
      headers: { ...headers, host: url.host },
    });
    const giveUp = () => {
      request.destroy();
      resolve(null);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    request.once('response', (response) => {
      const arrivedMs = link.tcp.arriving?.atMs ?? null;
      const sending = trace.sendings.slice(sentBefore).findLast((s) => arrivedMs !== null && s.calledMs <= arrivedMs);
      response.resume();
      const done = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(arrivedMs === null || !sending ? null : arrivedMs - (sending.leftMs ?? sending.calledMs));
      };
      response.once('end', done);
      response.once('error', () => resolve(null));
    });
    request.once('error', () => resolve(null));
    request.once('upgrade', (_response, socket) => socket.destroy());
    request.once('close', () => resolve(null));
    request.end();
  });
}
