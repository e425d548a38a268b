import type { Outcome } from '../model/outcome.ts';
import { errnoOf, isNoRoute } from '../wire/error-queue.ts';
import { isTimeExceeded } from '../wire/icmp.ts';
import type { Io } from '../wire/io.ts';
import type { SynRequest, SynResult } from '../wire/syn-probe.ts';
import type { Traced, TraceSockets, TraceTask } from './trace.ts';
import type { TraceOptions } from './trace/options.ts';

const POLL_MS = 1;
/** How long a hop may stay silent: twice the round trip to the target and some for a slow router, within these bounds. */
const HOP_WAIT_MS = { slack: 50, min: 120, max: 700, unknownTarget: 350 };
/** The source port is one of these; when it is taken towards the target (TIME_WAIT of an earlier trace), another is tried. */
const FIRST_PORT = 40_000;
const PORTS = 20_000;
const PORT_ATTEMPTS = 5;

/**
 * First a plain connection, for the round trip to the target; then one SYN per TTL, one after the other from the same source
 * port. In parallel they would need different ports, because two SYNs of the same four-tuple cannot be on the way, and routers
 * that balance by port would then show neighbours that are none.
 */
export async function traceByConnect(
  task: TraceTask,
  options: TraceOptions,
  io: Io,
  signal: AbortSignal,
  sockets: TraceSockets,
): Promise<Traced> {
  const deadlineMs = io.clock.monoMs() + options.budgetMs;
  const ask = (request: Omit<SynRequest, 'address' | 'port'>, waitMs: number) =>
    askOnce(
      sockets,
      { address: task.address, port: task.port, ...request },
      Math.min(waitMs, deadlineMs - io.clock.monoMs()),
      io,
      signal,
    );

  const direct = await ask({}, options.budgetMs / 3);
  const directRttMs =
    direct !== null && (direct.kind === 'accepted' || direct.kind === 'refused') ? direct.rttMs : null;
  const waitMs =
    directRttMs === null
      ? HOP_WAIT_MS.unknownTarget
      : Math.min(Math.max(2 * directRttMs + HOP_WAIT_MS.slack, HOP_WAIT_MS.min), HOP_WAIT_MS.max);

  const anyPort = () => FIRST_PORT + Math.floor(io.random.next() * PORTS);
  let localPort = anyPort();
  let attempts = 1;
  const hops: Traced['hops'] = [];
  let silent = 0;
  let end: Outcome | null = null;
  for (let ttl = 1; ttl <= options.maxTtl && silent < options.silentHops && end === null; ttl++) {
    if (signal.aborted || io.clock.monoMs() >= deadlineMs) break;
    const result = await ask({ hops: ttl, localPort }, waitMs);
    if (signal.aborted && result === null) break;
    if (ttl === 1 && isPortTaken(result) && attempts++ < PORT_ATTEMPTS) {
      localPort = anyPort();
      ttl = 0;
      continue;
    }
    if (result !== null && result.kind === 'failed' && !isSilence(result.errno)) {
      end = failure(result, task.address, directRttMs !== null);
      break;
    }
    hops.push(hopOf(ttl, result, task.address));
    silent = hops.at(-1)?.address === null ? silent + 1 : 0;
    if (result !== null) end = endOf(result, task);
  }
  const how = 'TCP connect per TTL, one flow, user TX and kernel RX stamps (target: TCP_INFO)';
  if (end !== null) return { outcome: end, reached: end.kind === 'answered' || end.kind === 'refused', hops, how };
  const stopped = io.clock.monoMs() >= deadlineMs ? 'stopped at the time limit' : 'stopped';
  const target =
    directRttMs === null
      ? 'the target did not answer a plain connection either'
      : `though the target answers a plain connection in ${directRttMs.toFixed(3)} ms`;
  const outcome = unfinished(signal, directRttMs !== null);
  return { outcome, reached: false, hops, how: `${how}; ${stopped} after ${hops.length} hops, ${target}` };
}

/** One SYN and its answer; null when there was none within `waitMs` or the user interrupted. */
async function askOnce(
  sockets: TraceSockets,
  request: SynRequest,
  waitMs: number,
  io: Io,
  signal: AbortSignal,
): Promise<SynResult | null> {
  let probe;
  try {
    probe = sockets.openSyn(request);
  } catch (error) {
    return { kind: 'failed', operation: 'socket', errno: errnoOf(error) };
  }
  try {
    const untilMs = io.clock.monoMs() + waitMs;
    for (;;) {
      const nowMs = io.clock.monoMs();
      const result = probe.poll();
      if (result !== null || signal.aborted || nowMs >= untilMs) return result;
      await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  } finally {
    probe.close();
  }
}

function isPortTaken(result: SynResult | null): boolean {
  return result?.kind === 'failed' && (result.errno === 'EADDRINUSE' || result.errno === 'EADDRNOTAVAIL');
}

/** The kernel gave up by itself: nothing was learnt about the hop. */
function isSilence(errno: string): boolean {
  return errno === 'ETIMEDOUT';
}

function hopOf(ttl: number, result: SynResult | null, target: string): Traced['hops'][number] {
  if (result === null || result.kind === 'failed') return { ttl, address: null, rttMs: null };
  return { ttl, address: result.kind === 'icmp' ? result.by : target, rttMs: result.rttMs };
}

/** Null when the answer is that of a router on the way, so that the next TTL is to be tried. */
function endOf(result: SynResult, { address, family }: TraceTask): Outcome | null {
  if (result.kind === 'accepted') return { kind: 'answered' };
  if (result.kind === 'refused') return { kind: 'refused', address };
  if (result.kind === 'icmp' && !isTimeExceeded(family, result.type)) {
    return { kind: 'unreachable', by: result.by, message: result.message };
  }
  return null;
}

function failure(
  { operation, errno }: Extract<SynResult, { kind: 'failed' }>,
  address: string,
  targetAnswers: boolean,
): Outcome {
  const message = `${operation} ${address}: ${errno}`;
  if (isNoRoute(errno) && !targetAnswers) return { kind: 'unreachable', by: 'this host', message };
  // There is a route, so a router said no and the kernel kept to itself which one.
  const why = errno === 'EHOSTUNREACH' ? `${message}; ICMP errors for SYNs are told since Linux 5.8` : message;
  return { kind: 'failed', phase: 'tcp', operation, errno, address, message: why };
}

function unfinished(signal: AbortSignal, targetAnswers: boolean): Outcome {
  if (signal.aborted) return { kind: 'interrupted' };
  return targetAnswers ? { kind: 'answered' } : { kind: 'lost' };
}
