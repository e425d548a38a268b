import type { ObservationOf } from '../../model/observation.ts';
import type { Outcome } from '../../model/outcome.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import { type Egress, egressTo } from '../../wire/interface-mtu.ts';
import type { Io } from '../../wire/io.ts';
import { type MssProbe, openMssProbe } from '../../wire/mss-probe.ts';
import { openEchoSizeProbe, openUdpSizeProbe } from '../../wire/size-probe.ts';
import { openStampSizeProbe } from '../../wire/stamp-size-probe.ts';
import { resolveTarget } from '../dns.ts';
import type { Probe, Target } from '../probe.ts';
import { byPackets, type MtuProgress, type PacketSockets } from './by-packets.ts';
import { type MtuOptions, mtuOptions } from './options.ts';
import { blank, failed, type MtuMethod, type Part, partOf, type Task, taskOf, unknownDirection } from './task.ts';
import { lookAtTcp } from './tcp-look.ts';
import { THIS_HOST } from './verdict.ts';

/** The kernel's sockets, so that a test can put its own in their place. */
export interface MtuSockets extends PacketSockets {
  egressTo(address: string, family: 4 | 6): Egress;
  openMss(address: string, port: number): MssProbe;
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
  openStamp: openStampSizeProbe,
};
export const mtuProbe = makeMtuProbe(mtuSockets);

async function* measure(
  target: Target,
  options: MtuOptions,
  io: Io,
  signal: AbortSignal,
  sockets: MtuSockets,
  progress: MtuProgress | undefined,
): AsyncIterable<ObservationOf<'mtu'>> {
  const head = () => ({
    kind: 'mtu' as const,
    at: new Date(io.clock.wallMs()).toISOString(),
    from: target.vantage,
    to: target.name,
  });
  const { addresses, outcome, how, port } = await resolveTarget(target, io, signal);
  const [first] = addresses;
  const wanted: MtuMethod = options.method === 'auto' ? 'icmp' : options.method;
  const nothing = (why: string, outcome: Outcome, how: string) => ({
    ...head(),
    ...blank(wanted, first?.address ?? '', first?.family ?? target.family ?? 4, options.maxBytes),
    how,
    outcome,
    forward: { ...unknownDirection, why },
  });
  if (first === undefined) {
    yield nothing('the target has no address', outcome, how);
    return;
  }
  if (io.platform !== 'linux') {
    const why = `packets that must not be fragmented (IP_PMTUDISC_PROBE) exist on Linux only, this is ${io.platform}`;
    yield nothing(why, failed('probe', 'ENOTSUP', first.address, why), why);
    return;
  }
  let egress: Egress;
  try {
    egress = sockets.egressTo(first.address, first.family);
  } catch (error) {
    const why = `no route to ${first.address}: ${errnoOf(error)}`;
    yield nothing(why, { kind: 'unreachable', by: THIS_HOST, message: why }, 'route of this host');
    return;
  }
  const task = taskOf(first, egress, options);
  // Before any probe: a "too big" that a probe provokes would change what the kernel thinks of the path.
  task.tcp = await lookAtTcp(task, options.port ?? port, io, signal, sockets.openMss);
  for (const method of options.method === 'auto' ? (['icmp', 'udp'] as const) : [options.method]) {
    const part = method === 'tcp' ? kernelOnly(task) : await byPackets(method, task, { io, signal, sockets, progress });
    yield { ...head(), ...part };
    if (part.forward.confirmedBytes !== null || signal.aborted) return;
  }
}

/** TCP_INFO alone: what the kernel believes is no proof of what the path carries. */
function kernelOnly(task: Task): Part {
  const { tcp } = task;
  const why = tcp
    ? `TCP_INFO tells what the kernel reckons with (${tcp.kernelMtuBytes}), not what the path carries: that takes icmp or udp`
    : 'no TCP connection was made';
  const outcome: Outcome = tcp ? { kind: 'answered' } : { kind: 'lost' };
  return { ...partOf(task, 'tcp'), how: 'TCP_INFO of a connection', outcome, forward: { ...unknownDirection, why } };
}
