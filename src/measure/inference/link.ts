import { Agent } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { TlsSummary } from '../../model/inference.ts';
import type { Outcome, PhaseName } from '../../model/outcome.ts';
import type { Io } from '../../wire/io.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { ConnectError, type TcpConnection, type TcpTarget, type TcpTransport } from '../../wire/tcp/connection.ts';
import { summariseTls } from '../tls-summary.ts';
import { hostOf, portOf } from '../url.ts';

/** How to get to an endpoint: everything about the connection and nothing about the request. */
export interface LinkOptions {
  family?: 4 | 6 | undefined;
  /** `host:port` → address, in place of DNS. */
  resolve?: ReadonlyMap<string, string> | undefined;
  http2: boolean;
  proxy?: URL | undefined;
  insecure: boolean;
  /** PEM texts, not paths. */
  ca?: string | undefined;
  clientCert?: string | undefined;
  clientKey?: string | undefined;
  connectTimeoutMs: number;
  /** See TcpTarget; for connections that carry bulk beside what is timed. */
  bulk?: boolean | undefined;
}

/** When each part of the set-up began and ended, CLOCK_MONOTONIC ms. Parts that did not happen are null. */
export interface SetUp {
  startMs: number;
  dns: { startMs: number; endMs: number; how: string; addresses: string[] } | null;
  proxy: { startMs: number; endMs: number } | null;
  tls: { startMs: number; endMs: number } | null;
  endMs: number;
}

/** A ready connection to an endpoint, plain or TLS, HTTP/1.1 or HTTP/2. */
export interface Link {
  tcp: TcpConnection;
  setUp: SetUp;
  tls: TlsSummary | null;
  tlsSocket: TLSSocket | null;
  /** HTTP/1.1: an agent that owns this one connection. */
  agent: Agent | null;
  http2: ClientHttp2Session | null;
  viaProxy: boolean;
  requests: number;
  /** Requests in flight now; more than one only over HTTP/2. */
  active: number;
  usable(): boolean;
  close(): Promise<void>;
}

/** A set-up that failed, with what happened up to there. */
export class LinkError extends Error {
  readonly outcome: Outcome;
  readonly setUp: SetUp;
  constructor(outcome: Outcome, setUp: SetUp) {
    super(outcome.kind);
    this.name = 'LinkError';
    this.outcome = outcome;
    this.setUp = setUp;
  }
}

/** DNS, TCP, proxy, TLS in this order; one address, no fallback to another (one probe tests one thing). */
export async function openLink(
  url: URL,
  options: LinkOptions,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
): Promise<Link> {
  await transport.ready;
  const setUp: SetUp = { startMs: io.clock.monoMs(), dns: null, proxy: null, tls: null, endMs: 0 };
  const { signal: deadline, clear } = deadlineOf(signal, options.connectTimeoutMs);
  let phase: PhaseName = 'dns';
  let tcp: TcpConnection | undefined;
  const hop = options.proxy ?? url;
  try {
    const target = await resolveTarget(hop, options, setUp, io, deadline);
    phase = 'tcp';
    tcp = await transport.connect(target, deadline);
    if (options.proxy && url.protocol === 'https:') {
      phase = 'proxy';
      await tunnel(tcp, url, options.proxy, setUp, io, deadline);
    }
    let tlsSocket: TLSSocket | null = null;
    if (url.protocol === 'https:') {
      phase = 'tls';
      tlsSocket = await handshake(tcp, url, options, setUp, io, deadline);
    }
    setUp.endMs = io.clock.monoMs();
    return makeLink(tcp, tlsSocket, url, options, setUp, io.clock.wallMs());
  } catch (error) {
    await tcp?.close();
    setUp.endMs = io.clock.monoMs();
    throw new LinkError(failure(error, phase, hop, setUp, signal, options), setUp);
  } finally {
    clear();
  }
}

function failure(
  error: unknown,
  phase: PhaseName,
  hop: URL,
  setUp: SetUp,
  signal: AbortSignal,
  options: LinkOptions,
): Outcome {
  if (signal.aborted && isInterrupt(signal)) return { kind: 'interrupted' };
  const { name, code, message } = errorFacts(error);
  if (name === 'TimeoutError' || signal.aborted)
    return { kind: 'timedOut', phase, afterMs: Math.min(options.connectTimeoutMs, setUp.endMs - setUp.startMs) };
  const address = error instanceof ConnectError ? error.address : hop.host;
  if (code === 'ECONNREFUSED') return { kind: 'refused', address };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH')
    return { kind: 'unreachable', by: 'the own kernel or a router on the way', message: `${code} for ${address}` };
  const operation =
    { dns: 'resolve', tcp: 'connect', proxy: 'CONNECT', tls: 'TLS handshake' }[phase as string] ?? phase;
  return { kind: 'failed', phase, operation, errno: code, address, message };
}

/** True when the user stopped the run, as opposed to a deadline of ours. */
export function isInterrupt(signal: AbortSignal): boolean {
  return (signal.reason as { name?: string } | undefined)?.name !== 'TimeoutError';
}

/** An error of ours that carries a code, as those of Node do. */
export function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

export function errorFacts(error: unknown): { name: string; code: string; message: string } {
  // The code of a DOMException is a number.
  const facts = error as { name?: string; code?: string | number; message?: string; reason?: unknown };
  const errno = error instanceof ConnectError ? error.errno : undefined;
  return {
    name: facts.name ?? 'Error',
    code: String(facts.code ?? errno ?? facts.name ?? 'error'),
    // The whole message of OpenSSL holds thread numbers and paths of its source; its reason says the same in words.
    message: typeof facts.reason === 'string' ? facts.reason : (facts.message ?? String(error)),
  };
}

async function resolveTarget(
  hop: URL,
  options: LinkOptions,
  setUp: SetUp,
  io: Io,
  signal: AbortSignal,
): Promise<TcpTarget> {
  const port = portOf(hop);
  const host = hostOf(hop);
  const fixed = options.resolve?.get(`${host}:${port}`);
  const literal = fixed ?? host;
  const version = isIP(literal);
  if (version !== 0 && options.family !== undefined && version !== options.family)
    throw codedError('EADDRNOTAVAIL', `${literal} is not an IPv${options.family} address`);
  const refused = version === 0 ? null : (io.dns.refusal?.(literal) ?? null);
  if (refused !== null) throw codedError('EACCES', `${literal} ${refused}`);
  if (version !== 0) return { address: literal, family: version as 4 | 6, port, bulk: options.bulk };
  const startMs = io.clock.monoMs();
  const addresses = await unlessAborted(io.dns.lookup(host, options.family), signal);
  setUp.dns = {
    startMs,
    endMs: io.clock.monoMs(),
    how: 'resolver of the operating system, user clock',
    addresses: addresses.map((a) => a.address),
  };
  const first = addresses[0];
  if (!first) throw codedError('ENODATA', `no address for ${host}`);
  return { ...first, port, bulk: options.bulk };
}

/** What `work` gives, unless `signal` aborts first: then its reason is thrown and `work` goes on unheard. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

const maxProxyHeaderBytes = 16 << 10;

/** CONNECT through an HTTP proxy (RFC 9110 §9.3.6), before TLS. The answer is read by hand: it ends exactly at the blank line. */
async function tunnel(
  tcp: TcpConnection,
  url: URL,
  proxy: URL,
  setUp: SetUp,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const startMs = io.clock.monoMs();
  const authority = `${url.hostname}:${url.port || 443}`;
  const credentials = proxy.username
    ? `Proxy-Authorization: Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString('base64')}\r\n`
    : '';
  tcp.stream.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  const head = await unlessAborted(readHead(tcp.stream), signal);
  setUp.proxy = { startMs, endMs: io.clock.monoMs() };
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  if (status?.startsWith('2') !== true)
    throw codedError('EPROXY', `the proxy answered "${head.split('\r\n', 1)[0]?.slice(0, 80)}"`);
}

function readHead(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0 && text.length < maxProxyHeaderBytes) return;
      stream.removeListener('data', onData);
      stream.pause();
      if (end < 0) {
        reject(codedError('EPROXY', 'the answer of the proxy to CONNECT is too long'));
        return;
      }
      const rest = Buffer.from(text.slice(end + 4), 'latin1');
      if (rest.length > 0) stream.unshift(rest);
      resolve(text.slice(0, end));
    };
    stream.on('data', onData);
    stream.once('end', () => reject(codedError('EPROXY', 'the proxy closed the connection')));
    stream.once('error', reject);
  });
}

/** TLS settings shared by every handshake of ours. */
export function tlsOptions(url: URL, options: LinkOptions): ConnectionOptions {
  const host = hostOf(url);
  return {
    ...(isIP(host) === 0 ? { servername: host } : {}),
    host,
    ALPNProtocols: options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    rejectUnauthorized: !options.insecure,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.clientCert === undefined ? {} : { cert: options.clientCert }),
    ...(options.clientKey === undefined ? {} : { key: options.clientKey }),
  };
}

function handshake(
  tcp: TcpConnection,
  url: URL,
  options: LinkOptions,
  setUp: SetUp,
  io: Io,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const startMs = io.clock.monoMs();
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...tlsOptions(url, options), socket: tcp.stream });
    const onAbort = () => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => {
      signal.removeEventListener('abort', onAbort);
      reject(error);
    });
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort);
      setUp.tls = { startMs, endMs: io.clock.monoMs() };
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function makeLink(
  tcp: TcpConnection,
  tlsSocket: TLSSocket | null,
  url: URL,
  options: LinkOptions,
  setUp: SetUp,
  wallMs: number,
): Link {
  const stream: Duplex = tlsSocket ?? tcp.stream;
  let dead = false;
  const markDead = () => {
    dead = true;
  };
  // An idle connection may break; whoever uses it next finds out through usable().
  stream.on('error', markDead);
  tcp.stream.on('error', markDead);
  stream.once('close', markDead);
  tcp.stream.once('end', markDead);
  const useHttp2 = options.http2 && (tlsSocket ? tlsSocket.alpnProtocol === 'h2' : false);
  const session = useHttp2 ? connectHttp2(url.origin, { createConnection: () => stream }) : null;
  session?.on('error', markDead);
  session?.once('goaway', markDead);
  const agent = useHttp2 ? null : oneConnectionAgent(stream);
  return {
    tcp,
    setUp,
    tls: tlsSocket ? summariseTls(tlsSocket, wallMs) : null,
    tlsSocket,
    agent,
    http2: session,
    viaProxy: options.proxy !== undefined,
    requests: 0,
    active: 0,
    usable: () => !dead && !stream.destroyed,
    close: async () => {
      agent?.destroy();
      session?.destroy();
      tlsSocket?.destroy();
      await tcp.close();
    },
  };
}

/** node:http parses, this connection carries: the agent never makes another one. */
function oneConnectionAgent(stream: Duplex): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let given = false;
  agent.createConnection = (_options, callback) => {
    if (given) {
      callback?.(codedError('ECONNRESET', 'connection is gone'), stream);
      return null;
    }
    given = true;
    return stream;
  };
  return agent;
}

/** Where node:http is to send a request of this URL over this link; a plain-HTTP proxy wants the whole URL as path (RFC 9112 §3.2.2). */
export function httpTarget(link: Link, url: URL): { agent: Agent; host: string; port: number; path: string } {
  const plainProxy = link.viaProxy && url.protocol === 'http:';
  return {
    agent: link.agent as Agent,
    host: url.hostname,
    port: portOf(url),
    path: plainProxy ? url.href : `${url.pathname}${url.search}`,
  };
}
