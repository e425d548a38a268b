import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Gate, GateError } from './gate.ts';

/** Octets of a body that are read; what follows tells nothing more about who it is. */
const mostBody = 256 * 1024;
const mostHeader = 16 * 1024;

export interface Ask {
  method: 'GET' | 'POST';
  /** Begins with a slash; a constant of ours, never text from a peer. */
  path: string;
  /** JSON that no schema accepts: nothing is run by it. */
  body?: string;
}

/** Where one service is: a literal address, checked by the gate before every connection. */
export interface Place {
  address: string;
  port: number;
  /** What the Host header and SNI say. */
  host: string;
  tls: boolean;
}

export interface Reply {
  status: number;
  /** Names in lower case; of repeated ones the first. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** The body as JSON; undefined where it is none, or was cut. */
  json: unknown;
  certificateTrusted: boolean | null;
}

/** How far a request without a reply came. */
export interface NoReply {
  failed: 'refused' | 'silent' | 'unreachable' | 'noHttp' | 'interrupted';
  /** Whether there was a connection. */
  connected: boolean;
  message: string;
}

export interface ExchangeOptions {
  gate: Gate;
  connectMs: number;
  answerMs: number;
  signal: AbortSignal;
}

/** One request on a connection of its own: no redirect is followed, nothing is kept, no credential is sent, no proxy asked. */
export function exchange(ask: Ask, place: Place, options: ExchangeOptions): Promise<Reply | NoReply> {
  const why = options.gate.refusal(place.address);
  if (why !== null) throw new GateError(`${place.address} ${why}`);
  if (options.signal.aborted)
    return Promise.resolve({ failed: 'interrupted', connected: false, message: 'interrupted' });
  return new Promise((done) => {
    let connected = false;
    let socket: Socket | undefined;
    const sent = (place.tls ? requestTls : requestPlain)({
      host: place.address,
      port: place.port,
      path: ask.path,
      method: ask.method,
      agent: false,
      maxHeaderSize: mostHeader,
      // Whoever answers is asked who it is, not believed: an untrusted certificate is a fact for the report.
      ...(place.tls && { servername: isIP(place.host) === 0 ? place.host : '', rejectUnauthorized: false }),
      headers: {
        host: hostHeader(place),
        'user-agent': 'inferpath',
        accept: 'application/json, text/plain;q=0.9, */*;q=0.1',
        connection: 'close',
        ...(ask.body !== undefined && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(ask.body)),
        }),
      },
    });
    const finish = (result: Reply | NoReply) => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', abort);
      sent.destroy();
      done(result);
    };
    const fail = (failed: NoReply['failed'], message: string) => finish({ failed, connected, message });
    const late = () => fail('silent', connected ? 'no answer in time' : 'no connection in time');
    const abort = () => fail('interrupted', 'interrupted');
    let timer = setTimeout(late, options.connectMs);
    options.signal.addEventListener('abort', abort, { once: true });
    sent.on('socket', (it) => {
      socket = it;
      it.on('connect', () => {
        connected = true;
        clearTimeout(timer);
        timer = setTimeout(late, options.answerMs);
      });
    });
    sent.on('error', (error: NodeJS.ErrnoException) => fail(kindOf(error, connected), error.message));
    sent.on('response', (response) => readReply(response, trustedOf(socket, place), finish));
    sent.end(ask.body);
  });
}

/** Whether a port accepts connections: nothing is sent, for what stands there speaks no HTTP and trusts whoever reaches it. */
export function touch(place: Place, { gate, connectMs, signal }: ExchangeOptions): Promise<NoReply> {
  const why = gate.refusal(place.address);
  if (why !== null) throw new GateError(`${place.address} ${why}`);
  return new Promise((done) => {
    const socket = connect({ host: place.address, port: place.port });
    const finish = (failed: NoReply['failed'], message: string, connected = false) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      done({ failed, connected, message });
    };
    const abort = () => finish('interrupted', 'interrupted');
    const timer = setTimeout(() => finish('silent', 'no connection in time'), connectMs);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.on('connect', () => finish('noHttp', 'accepted, and nothing was sent', true));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(kindOf(error, false), error.message));
  });
}

function readReply(
  response: IncomingMessage,
  certificateTrusted: boolean | null,
  finish: (reply: Reply) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const whole = () => {
    const body = Buffer.concat(chunks).toString('utf8');
    finish({
      status: response.statusCode ?? 0,
      headers: headersOf(response),
      body,
      json: size >= mostBody ? undefined : jsonOf(body),
      certificateTrusted,
    });
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, mostBody - size));
    size += chunk.length;
    if (size >= mostBody) whole();
  });
  response.on('end', whole);
  // What came before the cut is still an answer.
  response.on('error', whole);
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const pairs = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined)) as Record<string, string>;
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function kindOf({ code, syscall }: NodeJS.ErrnoException, connected: boolean): NoReply['failed'] {
  if (code === 'ECONNREFUSED') return 'refused';
  return connected || syscall !== 'connect' ? 'noHttp' : 'unreachable';
}

function trustedOf(socket: Socket | undefined, { tls }: Place): boolean | null {
  return tls && socket ? (socket as TLSSocket).authorized : null;
}

function hostHeader({ host, port, tls }: Place): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === (tls ? 443 : 80) ? name : `${name}:${port}`;
}

export function isReply(result: Reply | NoReply): result is Reply {
  return 'status' in result;
}
