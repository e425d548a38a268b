import type { Outcome } from '../../model/outcome.ts';
import { printable } from '../../model/outcome.ts';
import type { TlsReply, TlsSaid } from '../../model/secure/tls-survey.ts';
import type { Io } from '../../wire/io.ts';
import {
  ConnectError,
  formatTarget,
  type TcpConnection,
  type TcpTarget,
  type TcpTransport,
} from '../../wire/tcp/connection.ts';
import { alertName, suiteName, versionName } from '../../wire/tls/code-points.ts';
import { groupName } from '../../wire/tls/groups.ts';
import type { ClientHandshake, Heard } from '../../wire/tls/handshake.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import { type StartTls, startTls, StartTlsError } from './starttls.ts';

/** Where a ClientHello is cut, and how long to wait before its next piece. */
export interface Cut {
  at: number;
  gapMs: number;
}

/** One connection: what was written, what came, how it ended. */
export interface Conversation {
  reply: TlsReply;
  heard: Heard;
  sentBytes: number;
  pieces: number[];
  durationMs: number | null;
  connectRttMs: number | null;
  mssBytes: number | null;
}

export interface Way {
  target: TcpTarget;
  starttls: StartTls | null;
  timeoutMs: number;
}

/** Speaks one handshake over a connection of its own, and closes it. Never throws for what the network or the peer does. */
export async function converse(
  way: Way,
  handshake: ClientHandshake,
  cut: Cut | null,
  transport: TcpTransport,
  io: Io,
  signal: AbortSignal,
): Promise<Conversation> {
  const hello = handshake.start();
  const pieces = piecesOf(hello, cut);
  const { signal: deadline, clear } = deadlineOf(signal, way.timeoutMs + (cut?.gapMs ?? 0));
  const talk = { beganMs: io.clock.monoMs(), connected: false };
  let tcp: TcpConnection | undefined;
  let reply: TlsReply;
  try {
    tcp = await transport.connect(way.target, deadline);
    // Between two listeners of ours an error must not be an uncaught one.
    tcp.stream.on('error', () => undefined);
    if (way.starttls) await startTls(tcp.stream, way.starttls, deadline);
    talk.connected = true;
    talk.beganMs = io.clock.monoMs();
    reply = await exchange(tcp, handshake, pieces, cut?.gapMs ?? 0, io, deadline);
  } catch (error) {
    reply = failure(error, way, handshake.heard, io.clock.monoMs() - talk.beganMs, signal, talk.connected);
  } finally {
    clear();
    await tcp?.close();
  }
  return {
    reply,
    heard: handshake.heard,
    sentBytes: hello.length,
    pieces: pieces.map(({ length }) => length),
    durationMs: talk.connected ? io.clock.monoMs() - talk.beganMs : null,
    connectRttMs: tcp?.trace.handshakeRttMs ?? null,
    mssBytes: tcp?.trace.info[0]?.info.sndMssBytes ?? null,
  };
}

export const piecesOf = (hello: Uint8Array, cut: Cut | null): Uint8Array[] =>
  cut && cut.at < hello.length ? [hello.subarray(0, cut.at), hello.subarray(cut.at)] : [hello];

/** Writes the pieces, each as soon as the one before is with the kernel and the gap is over, while answers are read already. */
async function exchange(
  { stream }: TcpConnection,
  handshake: ClientHandshake,
  pieces: readonly Uint8Array[],
  gapMs: number,
  io: Io,
  deadline: AbortSignal,
): Promise<TlsReply> {
  const over = new Promise<'over' | 'end'>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      const answer = handshake.receive(chunk);
      if (answer) stream.write(answer);
      if (handshake.isOver) resolve('over');
    });
    stream.once('end', () => resolve('end'));
    stream.once('error', reject);
    stream.once('close', () => resolve('end'));
    deadline.addEventListener('abort', () => reject(deadline.reason as Error), { once: true });
    if (deadline.aborted) reject(deadline.reason as Error);
    if (stream.destroyed) reject(stream.errored ?? new Error('closed'));
    stream.resume();
  });
  // Heard below; a peer may answer or reset before the last piece is written.
  over.catch(() => undefined);
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await Promise.race([io.clock.sleep(gapMs, deadline), over]);
    if (stream.destroyed || handshake.isOver) break;
    stream.write(piece);
  }
  const how = await over;
  return how === 'over' ? ended(handshake.heard) : { kind: 'closed', ...soFar(handshake.heard) };
}

/** The reply of a handshake that is over by itself. */
function ended(heard: Heard): TlsReply {
  if (heard.alert) return { kind: 'alert', code: heard.alert.code, name: alertName(heard.alert.code), ...soFar(heard) };
  if (heard.problem !== null) return { kind: 'malformed', why: heard.problem, ...soFar(heard) };
  const said = saidBy(heard);
  if (!heard.hello) return { kind: 'retry', said };
  return { kind: heard.isComplete && heard.certificates.length > 0 ? 'complete' : 'hello', said };
}

const soFar = (heard: Heard): { after: 'nothing' | 'retry' | 'hello'; said: TlsSaid } => ({
  after: heard.hello ? 'hello' : heard.retry ? 'retry' : 'nothing',
  said: saidBy(heard),
});

export function saidBy({ hello, retry, curve, alpn }: Heard): TlsSaid {
  const last = hello ?? retry;
  const group = curve ?? hello?.group ?? retry?.group ?? null;
  return {
    version: last ? versionName(last.version) : null,
    suite: last ? suiteName(last.suite) : null,
    group: group === null ? null : groupName(group),
    viaRetry: retry !== null,
    alpn: alpn === null ? null : printable(alpn, 40),
    downgrade: hello?.downgrade ?? null,
  };
}

function failure(
  error: unknown,
  { target, starttls, timeoutMs }: Way,
  heard: Heard,
  afterMs: number,
  signal: AbortSignal,
  connected: boolean,
): TlsReply {
  if (signal.aborted) return { kind: 'interrupted' };
  const { name, code } = error as { name?: string; code?: string };
  const isTimeout = name === 'TimeoutError';
  if (connected) {
    if (isTimeout) return { kind: 'timedOut', afterMs: Math.max(afterMs, timeoutMs), ...soFar(heard) };
    if (code === 'ECONNRESET' || code === 'EPIPE') return { kind: 'reset', ...soFar(heard) };
  }
  return { kind: 'unreached', outcome: unreached(error, isTimeout, afterMs, formatTarget(target), starttls) };
}

function unreached(
  error: unknown,
  isTimeout: boolean,
  afterMs: number,
  address: string,
  starttls: StartTls | null,
): Outcome {
  if (isTimeout) return { kind: 'timedOut', phase: 'tcp', afterMs };
  const errno = error instanceof ConnectError ? error.errno : ((error as { code?: string }).code ?? 'EUNKNOWN');
  if (error instanceof StartTlsError)
    return {
      kind: 'failed',
      phase: 'tls',
      operation: `STARTTLS (${starttls})`,
      errno: 'EPROTO',
      address,
      message: printable(error.message),
    };
  if (errno === 'ECONNREFUSED') return { kind: 'refused', address };
  if (errno === 'EHOSTUNREACH' || errno === 'ENETUNREACH')
    return { kind: 'unreachable', by: 'the own kernel or a router on the way', message: `${errno} for ${address}` };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failed', phase: 'tcp', operation: 'connect', errno, address, message: printable(message) };
}
