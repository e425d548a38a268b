import type { MtuDirection, MtuHop } from '../../model/mtu.ts';
import type { Outcome } from '../../model/outcome.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import type { Io } from '../../wire/io.ts';
import type { SizeProbe } from '../../wire/size-probe.ts';
import type { StampSizeProbe } from '../../wire/stamp-size-probe.ts';
import { type Drive, drive } from './drive.ts';
import { askHops, whereLost } from './locate.ts';
import { MtuSearch, type SearchResult, type Step } from './search.ts';
import { failed, partOf, type Part, type Task, unknownDirection } from './task.ts';
import { fitTcp, verdictOf } from './verdict.ts';

export type PacketMethod = 'icmp' | 'udp' | 'stamp';

export interface PacketSockets {
  openEcho(address: string, family: 4 | 6, maxBytes: number): SizeProbe;
  openUdp(address: string, family: 4 | 6, port: number, maxBytes: number): SizeProbe;
  openStamp(address: string, family: 4 | 6, port: number, maxBytes: number): StampSizeProbe;
}

export interface MtuProgress {
  /** Before every probe, and once when the hop is looked for (null). */
  step(doing: string, step: Step | null, result: SearchResult): void;
}

/** What one measurement needs from outside. */
export interface Surroundings {
  io: Io;
  signal: AbortSignal;
  sockets: PacketSockets;
  progress: MtuProgress | undefined;
}

/** Searches the path MTU by real packets, by one method. */
export async function byPackets(method: PacketMethod, task: Task, around: Surroundings): Promise<Part> {
  const { address, family, maxBytes, options } = task;
  const { sockets } = around;
  try {
    switch (method) {
      case 'icmp':
        return await oneWay(method, sockets.openEcho(address, family, maxBytes), task, around);
      case 'udp':
        return await oneWay(method, sockets.openUdp(address, family, options.udpPort, maxBytes), task, around);
      case 'stamp':
        return await bothWays(sockets.openStamp(address, family, options.stampPort, maxBytes), task, around);
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EUNKNOWN') throw error;
    const denied = method === 'icmp' && (errno === 'EACCES' || errno === 'EPERM');
    const why = denied ? 'neither net.ipv4.ping_group_range nor CAP_NET_RAW permits ICMP echo' : `socket: ${errno}`;
    return {
      ...partOf(task, method),
      how: why,
      outcome: failed(`${method} socket`, errno, address, why),
      forward: { ...unknownDirection, why },
    };
  }
}

async function oneWay(method: 'icmp' | 'udp', socket: SizeProbe, task: Task, around: Surroundings): Promise<Part> {
  try {
    return await forwardPart(method, socket, task, around);
  } finally {
    socket.close();
  }
}

/** Forward with small replies, then reverse with small requests, where the reflector is one that does that. */
async function bothWays(probe: StampSizeProbe, task: Task, around: Surroundings): Promise<Part> {
  try {
    const there = await forwardPart('stamp', probe.forward, task, around);
    if (there.forward.confirmedBytes === null || around.signal.aborted) return there;
    if (probe.heedsSize() === false) {
      const note =
        'the reflector answers as large as it is asked, so this is the smaller one of both directions: ' +
        'start it with --stamp-sizes to have them apart';
      return { ...there, notes: [...there.notes, note] };
    }
    const back = await search('reverse', 'back by stamp', probe.reverse, task, around);
    return {
      ...there,
      reverse: back.direction,
      reverseLadder: back.result.tallies,
      probes: there.probes + back.result.probes,
      notes: [...there.notes, ...notesOf(back.result, back.driven)],
    };
  } finally {
    probe.close();
  }
}

interface Searched {
  result: SearchResult;
  driven: Drive;
  direction: MtuDirection;
}

async function search(
  way: 'forward' | 'reverse',
  doing: string,
  socket: SizeProbe,
  task: Task,
  { io, signal, progress }: Surroundings,
): Promise<Searched> {
  const { family, maxBytes, maxReason, options } = task;
  const machine = new MtuSearch({ family, maxBytes, leastBytes: socket.headerBytes, probesPerSize: options.count });
  const driven = await drive(machine, socket, io, signal, {
    timeoutMs: options.timeoutMs,
    onStep: (step) => progress?.step(doing, step, machine.result()),
  });
  const result = machine.result();
  return {
    result,
    driven,
    direction: verdictOf(result, { way, maxReason, interrupted: signal.aborted, drive: driven }),
  };
}

async function forwardPart(method: PacketMethod, socket: SizeProbe, task: Task, around: Surroundings): Promise<Part> {
  const { signal, progress } = around;
  const { result, driven, direction: forward } = await search('forward', method, socket, task, around);
  const limited = forward.verdict === 'icmp-confirmed' || forward.verdict === 'black-hole';
  if (task.options.hops && limited && !signal.aborted) {
    progress?.step(method, null, result);
    forward.hop = await findHop(socket, task, result, driven, around);
  }
  return {
    ...partOf(task, method),
    how: howOf(method, socket, task.family),
    outcome: outcomeOf(result, driven, task.address, signal.aborted),
    forward,
    tcp: fitTcp(task.tcp, forward),
    ladder: result.tallies,
    probes: result.probes,
    lossShare: result.loss.sent === 0 ? null : result.loss.lost / result.loss.sent,
    notes: [...task.notes, ...notesOf(result, driven)],
  };
}

function howOf(method: PacketMethod, socket: SizeProbe, family: 4 | 6): string {
  const way = {
    icmp: `the echo comes back as large as it went${family === 4 ? ', unless a router on the way back cuts it' : ''}`,
    udp: '"port unreachable" of the target proves the way there; the way back carries small answers only',
    stamp: 'each direction with small packets in the other one',
  }[method];
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
  const [messages, were] = ignored === 1 ? ['message', 'was'] : ['messages', 'were'];
  return [
    ...(ignored > 0
      ? [
          `${ignored} ICMP ${messages} "too big" made no sense (not below the size sent, or below one that fits) and ${were} ignored`,
        ]
      : []),
    ...(unreachable && result.confirmedBytes !== null ? [`${unreachable.by} said once: ${unreachable.message}`] : []),
  ];
}

const SMALL_BYTES = { 4: 68, 6: 128 } as const;
const HOP_WAIT_MS = { least: 350, unknown: 700 } as const;

async function findHop(
  socket: SizeProbe,
  { options, family, address, maxBytes }: Task,
  result: SearchResult,
  driven: Drive,
  { io, signal }: Surroundings,
): Promise<MtuHop | null> {
  const patientMs = driven.slowestMs === null ? HOP_WAIT_MS.unknown : Math.max(HOP_WAIT_MS.least, 3 * driven.slowestMs);
  const rounds = Math.max(2, options.count);
  const hops = await askHops(socket, io, signal, {
    smallBytes: Math.max(SMALL_BYTES[family], socket.headerBytes),
    largeBytes: result.refutedBytes ?? maxBytes,
    address,
    maxHops: options.maxHops,
    waitMs: Math.min(options.timeoutMs, patientMs),
    rounds,
  });
  const { sent, lost } = result.loss;
  return whereLost(hops, { rounds, lossShare: (lost + 0.5) / (sent + 1), echo: socket.kind === 'icmp' });
}
