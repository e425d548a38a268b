import type { Outcome } from '../../model/outcome.ts';
import { printable } from '../../model/outcome.ts';
import type { ThroughputTest } from '../../model/throughput.ts';
import { isNoRoute } from '../../wire/error-queue.ts';
import { ChannelClosedError, ChannelTimeoutError, type ControlChannel } from '../../wire/iperf/channel.ts';
import { iperfState, stateName } from '../../wire/iperf/control.ts';
import { SystemCallError } from '../../wire/libc.ts';

/** The peer ended what was to go on. */
export class PeerEnded extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super('the peer ended the test');
    this.outcome = outcome;
  }
}

/** Where in the test it happened. */
export interface ClientMoment {
  address: string;
  phase: 'tcp' | 'wait' | 'stream';
  connectTimeoutMs: number;
  aborted: boolean;
}

/** What an error of a test means; rethrows what is a mistake of ours. */
export function clientOutcome(error: unknown, { address, phase, connectTimeoutMs, aborted }: ClientMoment): Outcome {
  if (aborted) return { kind: 'interrupted' };
  if (error instanceof PeerEnded) return error.outcome;
  if (error instanceof ChannelTimeoutError) return { kind: 'timedOut', phase, afterMs: error.afterMs };
  if (error instanceof ChannelClosedError) return { kind: 'brokenStream', message: error.message };
  if (error instanceof SystemCallError) {
    const { errno, operation } = error;
    if (errno === 'ECONNREFUSED') return { kind: 'refused', address };
    if (isNoRoute(errno)) return { kind: 'unreachable', by: 'this host', message: error.message };
    if (errno === 'ETIMEDOUT') return { kind: 'timedOut', phase: 'tcp', afterMs: connectTimeoutMs };
    const message = operation.startsWith('congestion control') ? congestionHelp(operation, errno) : error.message;
    return { kind: 'failed', phase, operation, errno, address, message };
  }
  if (error instanceof Error && error.name === 'IperfProtocolError')
    return { kind: 'brokenStream', message: printable(error.message) };
  throw error;
}

/** What the server means by a state other than the one that was to come. @param timeoutMs for the reason that may follow */
export async function saidInstead(channel: ControlChannel, state: number, timeoutMs: number): Promise<Outcome> {
  const rejected = (code: string, message: string) => ({ kind: 'rejected' as const, status: state, code, message });
  if (state === iperfState.accessDenied) return rejected('ACCESS_DENIED', 'the server is busy with another test');
  if (state === iperfState.serverTerminate) return rejected('SERVER_TERMINATE', 'the server ended the test');
  if (state !== iperfState.serverError)
    return { kind: 'brokenStream', message: `the server said ${stateName(state)} out of turn` };
  const { code, errno } = await channel.serverError({ timeoutMs });
  return rejected('SERVER_ERROR', `the server refuses the test: ${describeError(code, errno)}`);
}

export function endOutcome(endedBy: ThroughputTest['endedBy']): Outcome {
  if (endedBy === 'interrupted') return { kind: 'interrupted' };
  if (endedBy === 'peer') return { kind: 'brokenStream', message: 'a data connection ended before the test did' };
  return { kind: 'answered' };
}

/** Why a congestion control could not be chosen, and what to do about it. */
function congestionHelp(operation: string, errno: string): string {
  if (errno === 'ENOENT')
    return `${operation}: this kernel does not have it; see net.ipv4.tcp_available_congestion_control`;
  if (errno === 'EPERM')
    return `${operation}: not for every user on this system; see net.ipv4.tcp_allowed_congestion_control`;
  return `${operation}: ${errno}`;
}

/** The numbers of iperf3's own list that a server uses to refuse; others are told by number. */
const serverErrors: Record<number, string> = {
  5: 'it lasts longer than the server allows',
  6: 'it has more streams than the server allows',
  27: 'it asks for more than the bitrate that the server allows',
};

function describeError(code: number, errno: number): string {
  return serverErrors[code] ?? `iperf3 error ${code}${errno === 0 ? '' : `, errno ${errno}`}`;
}
