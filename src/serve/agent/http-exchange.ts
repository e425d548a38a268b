import { Agent as PlainAgent, request as requestPlain } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import type { Clock } from '../../wire/io.ts';

/** Who we are and whom we trust, PEM. Read at every new connection, so that a renewed certificate needs no restart. */
export interface TlsIdentity {
  authorities: string;
  /** Absent before the agent has one. */
  certificate?: string;
  key?: string;
}

export interface HttpExchangeOptions {
  server: URL;
  /** Null for plain HTTP, which only a server on loopback is spoken to by. */
  identity: (() => TlsIdentity) | null;
  clock: Clock;
  /** Longest wait for a whole answer, ms. */
  timeoutMs: number;
  /** Called for every answer with what it says about the clock of the server. */
  onAnswer?: (answer: HttpAnswer) => void;
}

export interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** A longer answer is an error: we ask for nothing large. */
  maxAnswerBytes: number;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** Wall clock when the request was begun and when the head of the answer was there, ms. */
  sentAtMs: number;
  headAtMs: number;
}

export type Exchange = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

/**
 * HTTP/1.1 to one server over connections that are kept. No redirect is followed, no proxy of the environment is used, and no
 * answer is waited for for ever.
 */
export function httpExchange(options: HttpExchangeOptions): {
  exchange: Exchange;
  close: () => void;
  renewed: () => void;
} {
  const { server, identity, clock, timeoutMs, onAnswer } = options;
  const pool = { keepAlive: true, maxSockets: 8, maxFreeSockets: 4, scheduling: 'lifo' as const };
  const makeAgent = () => (identity ? new TlsAgent({ ...pool, minVersion: 'TLSv1.3' }) : new PlainAgent(pool));
  let agent = makeAgent();
  const send = async (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const patience = new AbortController();
    void clock.sleep(timeoutMs, patience.signal).then(
      () => stop.abort(new Error(`no whole answer within ${timeoutMs / 1000} s`)),
      () => undefined,
    );
    try {
      return await once(request, stop.signal);
    } finally {
      patience.abort();
      signal.removeEventListener('abort', onAbort);
    }
  };
  const once = (request: HttpRequest, signal: AbortSignal) =>
    new Promise<HttpAnswer>((done, fail) => {
      const who = identity?.();
      const sentAtMs = clock.wallMs();
      const sent = (who ? requestTls : requestPlain)(new URL(request.path, server), {
        agent,
        method: request.method,
        signal,
        headers: {
          ...request.headers,
          ...(request.body && { 'content-length': String(request.body.length), 'content-type': 'application/json' }),
        },
        ...(who && { ca: who.authorities, cert: who.certificate, key: who.key }),
      });
      sent.on('error', (error) => fail(signal.aborted ? (signal.reason as Error) : error));
      sent.on('response', (response) => {
        const headAtMs = clock.wallMs();
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > request.maxAnswerBytes)
            sent.destroy(new Error(`the answer is larger than ${request.maxAnswerBytes} octets`));
        });
        response.on('error', fail);
        response.on('close', () => {
          if (!response.complete) fail(signal.aborted ? (signal.reason as Error) : new Error('the answer was cut off'));
        });
        response.on('end', () => {
          if (!response.complete) return;
          done({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            sentAtMs,
            headAtMs,
          });
        });
      });
      sent.end(request.body);
    });
  return {
    exchange: async (request, signal) => {
      const answer = await send(request, signal);
      onAnswer?.(answer);
      return answer;
    },
    close: () => agent.destroy(),
    renewed: () => {
      // Requests under way keep the old agent and its sockets until they are done.
      const old = agent;
      agent = makeAgent();
      void clock.sleep(timeoutMs).then(() => old.destroy());
    },
  };
}

/** Retry-After (RFC 9110 §10.2.3) in ms: seconds or a date; null when there is none that can be read. At most an hour is believed. */
export function retryAfterMs(header: string | string[] | undefined, wallMs: number): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d{1,10}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - wallMs;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), 3_600_000) : null;
}
