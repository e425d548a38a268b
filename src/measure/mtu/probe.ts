import { z } from 'zod';
import type { MtuDirection, MtuHop, TcpSizes } from '../../model/mtu.ts';
import type { ObservationOf } from '../../model/observation.ts';
import type { Outcome } from '../../model/outcome.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import { type Egress, egressTo } from '../../wire/interface-mtu.ts';
import type { Io } from '../../wire/io.ts';
import { type MssProbe, openMssProbe } from '../../wire/mss-probe.ts';
import { openEchoSizeProbe, openUdpSizeProbe, type SizeProbe } from '../../wire/size-probe.ts';
import { resolveTarget } from '../dns.ts';
import type { Probe, Target } from '../probe.ts';
import { type Drive, drive } from './drive.ts';
import { askHops, whereLost } from './locate.ts';
import { MtuSearch, type SearchResult, type Step } from './search.ts';
import { fitTcp, tcpSizesOf, THIS_HOST, verdictOf } from './verdict.ts';

export const mtuOptions = z.strictObject({
  method: z
    .enum(['auto', 'icmp', 'udp', 'tcp'])
    .default('auto')
    .meta({
      description:
        'icmp: echo; udp: to a closed port, whose "port unreachable" is the answer; tcp: only what the kernel knows of a ' +
        'connection (TCP_INFO); auto: echo, and where it is not permitted or not answered, udp.',
    }),
  port: z.number().int().min(1).max(65_535).optional().meta({
    description: 'TCP port whose segment sizes are looked at; that of the URL by default.',
  }),
  udpPort: z.number().int().min(1).max(65_535).default(33_434).meta({ description: 'Closed port for udp.' }),
  maxBytes: z.number().int().min(128).max(65_535).default(9216).meta({
    description: 'Largest IP packet to try, octets; never above the MTU of the own interface.',
  }),
  count: z.number().int().min(1).max(10).default(3).meta({
    description:
      'Probes of one size before silence may mean that it is too big (MAX_PROBES of RFC 8899); more under loss.',
  }),
  timeoutMs: z.number().min(50).max(60_000).default(1000).meta({ description: 'Longest wait for an answer, ms.' }),
  hops: z.boolean().default(true).meta({ description: 'Look for the hop at which large packets get lost.' }),
  maxHops: z.number().int().min(1).max(64).default(30).meta({ description: 'Highest TTL of that.' }),
});
export type MtuOptions = z.output<typeof mtuOptions>;
type Method = ObservationOf<'mtu'>['method'];

/** The kernel's sockets, so that a test can put its own in their place. */
export interface MtuSockets {
  egressTo(address: string, family: 4 | 6): Egress;
  openMss(address: string, port: number): MssProbe;
  openEcho(address: string, family: 4 | 6, maxBytes: number): SizeProbe;
  openUdp(address: string, family: 4 | 6, port: number, maxBytes: number): SizeProbe;
}

export interface MtuProgress {
  /** Before every probe, and once when the hop is looked for (null). */
  step(method: Method, step: Step | null, result: SearchResult): void;
}

/** The path MTU by probing (RFC 8899), who says so, and where large packets get lost. */
export function makeMtuProbe(sockets: MtuSockets, progress?: MtuProgress): Probe<typeof mtuOptions> {
  return {
    kind: 'mtu',
    about: 'Path MTU by packets that must not be fragmented (DPLPMTUD), with and without the help of ICMP',
    options: mtuOptions,
    run: (target, options, io, signal) => measure(target, options, io, signal, sockets, progress),
  };
}

export const mtuSockets: MtuSockets = {
  egressTo,
  openMss: openMssProbe,
  openEcho: openEchoSizeProbe,
  openUdp: openUdpSizeProbe,
};
export const mtuProbe = makeMtuProbe(mtuSockets);

/** What all methods share. */
interface Task {
  address: string;
  family: 4 | 6;
  egress: Egress;
  maxBytes: number;
  maxReason: string;
  options: MtuOptions;
  tcp: TcpSizes | null;
  notes: string[];
}

const POLL_MS = 1;
const UNKNOWN: MtuDirection = {
  verdict: 'unknown',
  why: 'not measured',
  confirmedBytes: null,
  refutedBytes: null,
  by: null,
  saidMtuBytes: null,
  chanceOfLoss: null,
  hop: null,
};

async function* measure(
  target: Target,
  options: MtuOptions,
  io: Io,
  signal: AbortSignal,
  sockets: MtuSockets,
  progress: MtuProgress | undefined,
): AsyncIterable<ObservationOf<'mtu'>> {
  const at = new Date(io.clock.wallMs()).toISOString();
  const head = { kind: 'mtu' as const, at, from: target.vantage, to: target.name };
  const { addresses, outcome, how, port } = await resolveTarget(target, io, signal);
  const [first] = addresses;
  const empty = (method: Method, why: string, outcome: Outcome, how: string): ObservationOf<'mtu'> => ({
    ...head,
    how,
    outcome,
    ...blank(method, first?.address ?? '', first?.family ?? 4, options.maxBytes),
    forward: { ...UNKNOWN, why },
  });
  const wanted = options.method === 'auto' ? 'icmp' : options.method;
  if (first === undefined) {
    yield empty(wanted, 'the target has no address', outcome, how);
    return;
  }
  if (io.platform !== 'linux') {
    const why = `packets that must not be fragmented (IP_PMTUDISC_PROBE) exist on Linux only, this is ${io.platform}`;
    yield empty(wanted, why, failed('probe', 'ENOTSUP', first.address, why), why);
    return;
  }
  let egress: Egress;
  try {
    egress = sockets.egressTo(first.address, first.family);
  } catch (error) {
    const why = `no route to ${first.address}: ${errnoOf(error)}`;
    yield empty(wanted, why, { kind: 'unreachable', by: THIS_HOST, message: why }, 'route of this host');
    return;
  }
  const task = taskOf(first, egress, options);
  // Before any probe: a "too big" that a probe provokes would change what the kernel thinks of the path.
  task.tcp = await lookAtTcp(task, options.port ?? port, io, signal, sockets);
  for (const method of options.method === 'auto' ? (['icmp', 'udp'] as const) : [options.method]) {
    const part = method === 'tcp' ? kernelOnly(task) : await byPackets(method, task, io, signal, sockets, progress);
    yield { ...head, at: new Date(io.clock.wallMs()).toISOString(), ...part };
    if (part.forward.confirmedBytes !== null || signal.aborted) return;
  }
}

type Part = Omit<ObservationOf<'mtu'>, 'kind' | 'at' | 'from' | 'to'>;

function blank(method: Method, address: string, family: 4 | 6, maxBytes: number) {
  return {
    method,
    address,
    family,
    interfaceName: null,
    interfaceMtuBytes: null,
    maxBytes,
    reverse: null,
    tcp: null,
    ladder: [],
    probes: 0,
    lossShare: null,
    notes: [],
  };
}

function taskOf(to: { address: string; family: 4 | 6 }, egress: Egress, options: MtuOptions): Task {
  const { mtuBytes, interfaceName, cachedMtuBytes } = egress;
  const limited = mtuBytes !== null && mtuBytes <= options.maxBytes;
  const maxBytes = Math.min(options.maxBytes, mtuBytes ?? options.maxBytes);
  const maxReason = limited
    ? `the interface ${interfaceName} of this host takes no larger ones (MTU ${mtuBytes})`
    : `larger ones were not tried (at most ${options.maxBytes})`;
  const notes =
    cachedMtuBytes < Math.min(mtuBytes ?? cachedMtuBytes, 0xffff)
      ? [
          `the kernel already reckons with ${cachedMtuBytes} octets to this address: a route says so, or an ICMP message of the last ten minutes`,
        ]
      : [];
  return { ...to, egress, maxBytes, maxReason, options, tcp: null, notes };
}

function common(task: Task, method: Method): Omit<Part, 'how' | 'outcome' | 'forward'> {
  const { egress } = task;
  return {
    ...blank(method, task.address, task.family, task.maxBytes),
    interfaceName: egress.interfaceName,
    interfaceMtuBytes: egress.mtuBytes,
    tcp: task.tcp,
    notes: task.notes,
  };
}

/** TCP_INFO alone: what the kernel believes is no proof of what the path carries. */
function kernelOnly(task: Task): Part {
  const { tcp } = task;
  const why = tcp
    ? `TCP_INFO tells what the kernel reckons with (${tcp.kernelMtuBytes}), not what the path carries: that takes icmp or udp`
    : 'no TCP connection was made';
  const outcome: Outcome = tcp ? { kind: 'answered' } : { kind: 'lost' };
  return { ...common(task, 'tcp'), how: 'TCP_INFO of a connection', outcome, forward: { ...UNKNOWN, why } };
}

async function byPackets(
  method: 'icmp' | 'udp',
  task: Task,
  io: Io,
  signal: AbortSignal,
  sockets: MtuSockets,
  progress: MtuProgress | undefined,
): Promise<Part> {
  const { address, family, maxBytes, options } = task;
  let socket: SizeProbe;
  try {
    socket =
      method === 'icmp'
        ? sockets.openEcho(address, family, maxBytes)
        : sockets.openUdp(address, family, options.udpPort, maxBytes);
  } catch (error) {
    const errno = errnoOf(error);
    const denied = method === 'icmp' && (errno === 'EACCES' || errno === 'EPERM');
    const why = denied ? 'neither net.ipv4.ping_group_range nor CAP_NET_RAW permits ICMP echo' : `socket: ${errno}`;
    const outcome = failed(`${method} socket`, errno, address, why);
    return { ...common(task, method), how: why, outcome, forward: { ...UNKNOWN, why } };
  }
  try {
    return await search(method, socket, task, io, signal, progress);
  } finally {
    socket.close();
  }
}

async function search(
  method: 'icmp' | 'udp',
  socket: SizeProbe,
  task: Task,
  io: Io,
  signal: AbortSignal,
  progress: MtuProgress | undefined,
): Promise<Part> {
  const { family, maxBytes, options } = task;
  const machine = new MtuSearch({ family, maxBytes, probesPerSize: options.count });
  const driven = await drive(machine, socket, io, signal, {
    timeoutMs: options.timeoutMs,
    onStep: (step) => progress?.step(method, step, machine.result()),
  });
  const result = machine.result();
  const { maxReason } = task;
  const forward = verdictOf(result, { maxBytes, maxReason, interrupted: signal.aborted, drive: driven });
  const limited = forward.verdict === 'icmp-confirmed' || forward.verdict === 'black-hole';
  if (options.hops && limited && !signal.aborted) {
    progress?.step(method, null, result);
    forward.hop = await findHop(socket, task, result, driven, io, signal);
  }
  return {
    ...common(task, method),
    how: howOf(method, socket, family),
    outcome: outcomeOf(result, driven, task.address, signal.aborted),
    forward,
    tcp: fitTcp(task.tcp, forward),
    ladder: result.tallies,
    probes: result.probes,
    lossShare: result.loss.sent === 0 ? null : result.loss.lost / result.loss.sent,
    notes: [...task.notes, ...notesOf(result, driven)],
  };
}

function howOf(method: 'icmp' | 'udp', socket: SizeProbe, family: 4 | 6): string {
  const way =
    method === 'udp'
      ? '"port unreachable" of the target proves the way there; the way back carries small answers only'
      : `the echo comes back as large as it went${family === 4 ? ', unless a router on the way back cuts it' : ''}`;
  return `${socket.how}, DF set, the kernel's cached path MTU ignored; ${way}`;
}

function outcomeOf(result: SearchResult, { failure, unreachable }: Drive, address: string, aborted: boolean): Outcome {
  if (aborted) return { kind: 'interrupted' };
  if (result.confirmedBytes !== null) return { kind: 'answered' };
  if (failure) return failed('send', failure.errno, address, `send ${address}: ${failure.errno}`);
  if (unreachable) return { kind: 'unreachable', ...unreachable };
  return { kind: 'lost' };
}

function notesOf(result: SearchResult, { unreachable }: Drive): string[] {
  const { ignoredTooBig: ignored } = result;
  return [
    ...(ignored > 0
      ? [
          `${ignored} ICMP ${ignored === 1 ? 'message' : 'messages'} "too big" made no sense (not below the size sent, or below one that fits) and ${ignored === 1 ? 'was' : 'were'} ignored`,
        ]
      : []),
    ...(unreachable && result.confirmedBytes !== null ? [`${unreachable.by} said once: ${unreachable.message}`] : []),
  ];
}

const SMALL_BYTES = { 4: 68, 6: 128 } as const;
const MOST_HOP_WAIT_MS = 700;

async function findHop(
  socket: SizeProbe,
  task: Task,
  result: SearchResult,
  driven: Drive,
  io: Io,
  signal: AbortSignal,
): Promise<MtuHop | null> {
  const { options, family, address } = task;
  const waitMs = Math.min(
    options.timeoutMs,
    Math.max(MOST_HOP_WAIT_MS / 2, 3 * (driven.slowestMs ?? MOST_HOP_WAIT_MS)),
  );
  const rounds = Math.max(2, options.count);
  const hops = await askHops(socket, io, signal, {
    smallBytes: SMALL_BYTES[family],
    largeBytes: result.refutedBytes ?? task.maxBytes,
    address,
    maxHops: options.maxHops,
    waitMs,
    rounds,
  });
  const { sent, lost } = result.loss;
  return whereLost(hops, { rounds, lossShare: (lost + 0.5) / (sent + 1), echo: socket.kind === 'icmp' });
}

async function lookAtTcp(
  task: Task,
  port: number,
  io: Io,
  signal: AbortSignal,
  sockets: MtuSockets,
): Promise<TcpSizes | null> {
  const none = (why: string): null => {
    task.notes.push(`no TCP connection to port ${port}, so segment sizes are not known: ${why}`);
    return null;
  };
  let probe: MssProbe;
  try {
    probe = sockets.openMss(task.address, port);
  } catch (error) {
    return none(errnoOf(error));
  }
  try {
    const untilMs = io.clock.monoMs() + task.options.timeoutMs;
    for (;;) {
      const result = probe.poll();
      if (result?.kind === 'connected')
        return tcpSizesOf(result.sizes, { family: task.family, port, interfaceMtuBytes: task.egress.mtuBytes });
      if (result) return none(result.kind === 'failed' ? result.errno : `${result.by} says ${result.message}`);
      if (signal.aborted) return none('stopped');
      if (io.clock.monoMs() >= untilMs) return none('no answer');
      await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  } finally {
    probe.close();
  }
}

function failed(operation: string, errno: string, address: string, message: string): Outcome {
  return { kind: 'failed', phase: 'wait', operation, errno, address, message };
}
