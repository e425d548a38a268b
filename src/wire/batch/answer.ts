import { constants } from 'node:os';
import { errnoOf } from '../error-queue.ts';
import { SystemCallError } from '../libc.ts';
import { type Columns, halfOf, makeColumns, ProbeState } from './columns.ts';
import { ConnectSweep } from './connect-sweep.ts';
import type { SweepAnswer, SweepJob } from './job.ts';
import { openIcmpSocket, openSynSocket, openUdpSocket, type SweepSocket } from './socket.ts';
import { Sweep } from './sweep.ts';
import { udpCodec } from './udp-codec.ts';

/** A sweep that is ready to be stepped; or why it cannot be. */
export function openSweep(job: SweepJob): { sweep: Sweep | ConnectSweep } | Extract<SweepAnswer, { failed: object }> {
  const all = makeColumns(job.targets, job.rounds, job.buffer);
  const columns = job.half === undefined ? all : halfOf(all, job.half);
  if (job.method === 'tcp-connect') return { sweep: new ConnectSweep(columns, job.plan) };
  if (job.method === 'tls') return { sweep: new ConnectSweep(columns, job.plan, job.serverNames) };
  const sockets: SweepSocket[] = [];
  try {
    for (const family of job.families) {
      const socket = openFor(family, job, columns);
      if (socket !== null) sockets.push(socket);
    }
  } catch (error) {
    const { operation = 'socket', address = '' } = error instanceof SystemCallError ? error : {};
    return { failed: { operation, errno: errnoOf(error), address } };
  }
  return { sweep: new Sweep(columns, job.plan, sockets) };
}

/** Null where this host does not speak the family at all: then its targets have failed, and the others go on. */
function openFor(family: 4 | 6, job: SweepJob, columns: Columns): SweepSocket | null {
  const [first, second, identifier] = job.random;
  const token = { first: first >>> 0, second: second >>> 0 };
  try {
    if (job.method === 'icmp')
      return openIcmpSocket(family, {
        token,
        identifier: identifier & 0xffff,
        payloadBytes: job.payloadBytes,
        dscp: job.dscp,
      });
    if (job.method === 'tcp-syn') return openSynSocket(family, first >>> 0, columns, job.dscp);
    return openUdpSocket(family, udpCodec({ token, payloadBytes: job.payloadBytes }), job.dscp);
  } catch (error) {
    if (errnoOf(error) !== 'EAFNOSUPPORT') throw error;
    const { state, errno, rounds } = columns;
    for (let target = 0; target < columns.targets; target++) {
      if (columns.family[target] !== family) continue;
      columns.family[target] = 0;
      errno[target] = constants.errno.EAFNOSUPPORT;
      state.fill(ProbeState.failed, target * rounds, (target + 1) * rounds);
    }
    return null;
  }
}
