import * as z from 'zod';
import type { ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import { type EchoSocket, openEchoSocket } from '../wire/echo-socket.ts';
import { errnoOf, holdStamps } from '../wire/error-queue.ts';
import type { Io } from '../wire/io.ts';
import { openSynProbe, openUserSynProbe, type SynProbe, type SynRequest } from '../wire/syn-probe.ts';
import { resolveTarget } from './dns.ts';
import { connectPinger, icmpPinger, type Answer, type Pinger } from './pinger.ts';
import type { Probe, Target } from './probe.ts';

export const pingOptions = z.strictObject({
  count: z.number().int().min(1).max(10_000).default(20).meta({ description: 'Probes to send.' }),
  intervalMs: z
    .number()
    .min(1)
    .max(60_000)
    .default(100)
    .meta({ description: 'Time between the due times of two probes, ms.' }),
  timeoutMs: z.number().min(1).max(60_000).default(1000).meta({
    description: 'An answer later than this is lost, ms. TCP probes wait at most 1000 ms: then the SYN is sent again.',
  }),
  method: z.enum(['auto', 'icmp', 'tcp-connect']).default('auto').meta({
    description: 'auto: ICMP echo where the system permits it, else TCP connections to the port.',
  }),
  port: z.number().int().min(1).max(65_535).optional().meta({ description: 'TCP port; that of the URL by default.' }),
});
type PingOptions = z.output<typeof pingOptions>;

/** The kernel's sockets, so that a test can put its own in their place. */
export interface PingSockets {
  openEcho(address: string, family: 4 | 6): EchoSocket;
  openSyn(request: SynRequest): SynProbe;
  /** See holdStamps() of wire/error-queue.ts. */
  holdStamps(sleep: (ms: number) => Promise<void>): Promise<() => void>;
  openUserSyn(request: SynRequest, monoMs: () => number): SynProbe;
}

/** How often the sockets are looked at while an answer is awaited. Kernel stamps carry the times, so this adds no error. */
const POLL_MS = 1;
/** Linux sends a SYN again after one second (RFC 6298 §2.1): an answer later than that is not an answer to the first. */
const SYN_WAIT_MS = 1000;

interface Sent {
  at: string;
  sentMs: number;
}

export function makePingProbe(sockets: PingSockets): Probe<typeof pingOptions> {
  return {
    kind: 'ping',
    about: 'Round-trip time and loss, by ICMP echo or TCP handshakes, on a fixed schedule',
    options: pingOptions,
    run: (target, options, io, signal) => ping(target, options, io, signal, sockets),
  };
}

export const pingProbe = makePingProbe({
  openEcho: openEchoSocket,
  openSyn: openSynProbe,
  openUserSyn: openUserSynProbe,
  holdStamps,
});

/**
 * Open loop: probe n is sent at start + n × interval whatever became of the others, and every one gets exactly one record
 * (RFC 2681, RFC 6673). A second answer to the same probe is a duplicate and ignored.
 */
async function* ping(
  target: Target,
  options: PingOptions,
  io: Io,
  signal: AbortSignal,
  sockets: PingSockets,
): AsyncIterable<ObservationOf<'ping'>> {
  const at = new Date(io.clock.wallMs()).toISOString();
  const { addresses, outcome, how, port } = await resolveTarget(target, io, signal);
  const [first] = addresses;
  const head = { kind: 'ping' as const, from: target.vantage, to: target.name };
  const wanted = options.method === 'tcp-connect' ? ('tcp-connect' as const) : ('icmp' as const);
  if (first === undefined) {
    yield { ...head, at, address: '', method: wanted, sequence: 0, rttMs: null, outcome, how };
    return;
  }
  const opened = openPinger({ ...first, port: options.port ?? port }, options.method, io, sockets);
  if ('outcome' in opened) {
    yield { ...head, at, address: first.address, method: wanted, sequence: 0, ...opened };
    return;
  }
  const base = { ...head, address: first.address, method: opened.method };
  const sleep = (ms: number) => io.clock.sleep(ms, signal);
  const release = io.platform === 'linux' ? await sockets.holdStamps(sleep) : () => undefined;
  try {
    for await (const { sequence, at, rttMs, outcome, how } of schedule(opened, options, io, signal)) {
      yield { ...base, at, sequence, rttMs, outcome, how };
    }
  } finally {
    release();
    opened.close();
  }
}

interface Reported extends Answer {
  sequence: number;
  at: string;
}

async function* schedule(pinger: Pinger, options: PingOptions, io: Io, signal: AbortSignal): AsyncIterable<Reported> {
  const timeoutMs = pinger.method === 'icmp' ? options.timeoutMs : Math.min(options.timeoutMs, SYN_WAIT_MS);
  const startMs = io.clock.monoMs();
  const pending = new Map<number, Sent>();
  const done: Reported[] = [];
  const finish = (sequence: number, answer: Answer) => {
    const probe = pending.get(sequence);
    if (probe === undefined || !pending.delete(sequence)) return; // a duplicate, or too late
    pinger.forget(sequence);
    const late = answer.rttMs !== null && answer.rttMs > timeoutMs;
    done.push({ sequence, at: probe.at, ...answer, ...(late && { rttMs: null, outcome: { kind: 'lost' as const } }) });
  };
  const lost = (sequence: number, outcome: Outcome) =>
    finish(sequence, { rttMs: null, outcome, how: pinger.howLost() });
  let next = 0;
  while (next < options.count || pending.size > 0) {
    // The time is read before the sockets: an answer that lies in them by now must not be overtaken by its own timeout.
    const nowMs = io.clock.monoMs();
    for (; next < options.count && startMs + next * options.intervalMs <= nowMs && !signal.aborted; next++) {
      pending.set(next, { at: new Date(io.clock.wallMs()).toISOString(), sentMs: io.clock.monoMs() });
      const failure = pinger.send(next);
      if (failure !== null) finish(next, failure);
    }
    pinger.poll(finish);
    for (const [sequence, { sentMs }] of pending) if (nowMs - sentMs > timeoutMs) lost(sequence, { kind: 'lost' });
    if (signal.aborted) for (const sequence of pending.keys()) lost(sequence, { kind: 'interrupted' });
    yield* done.splice(0);
    if (signal.aborted) return;
    const dueMs = startMs + next * options.intervalMs - io.clock.monoMs();
    if (next >= options.count && pending.size === 0) return;
    const waitMs = pending.size > 0 ? Math.min(POLL_MS, dueMs > 0 ? dueMs : POLL_MS) : dueMs;
    await io.clock.sleep(Math.max(waitMs, 0), signal).catch(() => undefined);
  }
}

function openPinger(
  to: { address: string; family: 4 | 6; port: number },
  method: PingOptions['method'],
  io: Io,
  sockets: PingSockets,
): Pinger | Answer {
  if (io.platform !== 'linux') {
    const how = `user clock around connect(); kernel stamps and ICMP sockets are not used on ${io.platform}`;
    if (method === 'icmp') return unavailable(to.address, 'ENOTSUP', how);
    return connectPinger((request) => sockets.openUserSyn(request, () => io.clock.monoMs()), to, how);
  }
  let why = '';
  if (method !== 'tcp-connect') {
    try {
      return icmpPinger(sockets.openEcho(to.address, to.family), to.address, () => io.clock.monoMs());
    } catch (error) {
      const errno = errnoOf(error);
      const denied = errno === 'EACCES' || errno === 'EPERM';
      why = `; no ICMP echo: ${denied ? 'neither net.ipv4.ping_group_range nor CAP_NET_RAW permits it' : errno}`;
      if (method === 'icmp') return unavailable(to.address, errno, `ICMP echo${why}`);
    }
  }
  return connectPinger((request) => sockets.openSyn(request), to, `TCP_INFO of connect()${why}`);
}

function unavailable(address: string, errno: string, how: string): Answer {
  const outcome = {
    kind: 'failed' as const,
    phase: 'wait' as const,
    operation: 'ICMP socket',
    errno,
    address,
    message: how,
  };
  return { rttMs: null, how, outcome };
}
