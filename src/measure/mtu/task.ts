import type { MtuDirection, TcpSizes } from '../../model/mtu.ts';
import type { ObservationOf } from '../../model/observation.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { Egress } from '../../wire/interface-mtu.ts';
import type { MtuOptions } from './options.ts';

export type MtuMethod = ObservationOf<'mtu'>['method'];
/** An observation without what all kinds have in common. */
export type Part = Omit<ObservationOf<'mtu'>, 'kind' | 'at' | 'from' | 'to'>;

/** What all methods share about one target. */
export interface Task {
  address: string;
  family: 4 | 6;
  egress: Egress;
  maxBytes: number;
  /** Why no larger size is tried, in words. */
  maxReason: string;
  options: MtuOptions;
  tcp: TcpSizes | null;
  notes: string[];
}

export const unknownDirection: MtuDirection = {
  verdict: 'unknown',
  why: 'not measured',
  confirmedBytes: null,
  refutedBytes: null,
  by: null,
  saidMtuBytes: null,
  chanceOfLoss: null,
  hop: null,
};

export function taskOf(to: { address: string; family: 4 | 6 }, egress: Egress, options: MtuOptions): Task {
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
  return { address: to.address, family: to.family, egress, maxBytes, maxReason, options, tcp: null, notes };
}

/** Everything about a method that has not measured anything yet. */
export function blank(
  method: MtuMethod,
  address: string,
  family: 4 | 6,
  maxBytes: number,
): Omit<Part, 'how' | 'outcome'> {
  return {
    method,
    address,
    family,
    interfaceName: null,
    interfaceMtuBytes: null,
    maxBytes,
    forward: unknownDirection,
    reverse: null,
    tcp: null,
    ladder: [],
    reverseLadder: [],
    probes: 0,
    lossShare: null,
    notes: [],
  };
}

export function partOf(task: Task, method: MtuMethod): Omit<Part, 'how' | 'outcome'> {
  return {
    ...blank(method, task.address, task.family, task.maxBytes),
    interfaceName: task.egress.interfaceName,
    interfaceMtuBytes: task.egress.mtuBytes,
    tcp: task.tcp,
    notes: task.notes,
  };
}

export function failed(operation: string, errno: string, address: string, message: string): Outcome {
  return { kind: 'failed', phase: 'wait', operation, errno, address, message };
}
