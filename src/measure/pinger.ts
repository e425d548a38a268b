import { isIPv6 } from 'node:net';
import type { Outcome } from '../model/outcome.ts';
import type { EchoSocket } from '../wire/echo-socket.ts';
import { errnoOf, isNoRoute } from '../wire/error-queue.ts';
import { isPortUnreachable } from '../wire/icmp.ts';
import type { SynProbe, SynRequest, SynResult } from '../wire/syn-probe.ts';

/** What became of one probe. */
export interface Answer {
  rttMs: number | null;
  outcome: Outcome;
  how: string;
}

/** One way of asking for an answer; the schedule around it is the same for all. */
export interface Pinger {
  method: 'icmp' | 'tcp-connect';
  /** Sends probe `sequence`; an answer at once only when that failed. */
  send(sequence: number): Answer | null;
  /** Reports every answer that has come since the last call. */
  poll(report: (sequence: number, answer: Answer) => void): void;
  /** Nothing more about this one: it is answered, lost or given up. */
  forget(sequence: number): void;
  /** How it is known that nothing came. */
  howLost(): string;
  close(): void;
}

interface Echoed {
  transmittedMs: number | null;
  sentMs: number;
  /** The wall clock was stepped while it was on its way: its stamps do not belong together. */
  stepped: boolean;
}

/**
 * ICMP echo. The round trip is kernel receive stamp − kernel transmit stamp; both are of one clock, so what this process does
 * meanwhile does not matter. Without a transmit stamp our own clock just before send() stands in (tens of µs too long).
 */
export function icmpPinger(socket: EchoSocket, address: string, monoMs: () => number): Pinger {
  const flying = new Map<number, Echoed>();
  let answers = 0;
  return {
    method: 'icmp',
    send(sequence) {
      // In the table before it is on the wire: on loopback the reply is there before send() returns.
      flying.set(sequence, { transmittedMs: null, sentMs: monoMs(), stepped: false });
      try {
        socket.send(sequence);
        return null;
      } catch (error) {
        return { rttMs: null, outcome: sendFailure(errnoOf(error), address, 'send'), how: `ICMP echo, ${socket.kind}` };
      }
    },
    poll(report) {
      const replies: { sequence: number; atMs: number | null }[] = [];
      const stepMs = socket.drain({
        transmitted: (sequence, atMs) => {
          const probe = flying.get(sequence);
          if (probe) probe.transmittedMs = atMs;
        },
        replied: (sequence, atMs) => replies.push({ sequence, atMs }),
        undeliverable: (sequence, by, message) => {
          report(sequence, {
            rttMs: null,
            outcome: { kind: 'unreachable', by, message },
            how: `ICMP error, ${socket.kind}`,
          });
        },
      });
      if (stepMs !== 0) for (const probe of flying.values()) probe.stepped = true;
      for (const { sequence, atMs } of replies) {
        const probe = flying.get(sequence);
        if (!probe) continue;
        answers++;
        report(sequence, {
          outcome: { kind: 'answered' },
          ...echoRtt(probe, atMs ?? monoMs(), atMs !== null, socket.kind),
        });
      }
    },
    forget: (sequence) => void flying.delete(sequence),
    howLost: () =>
      `ICMP echo, ${socket.kind}${answers === 0 ? '; no reply so far: ICMP may be filtered on the way' : ''}`,
    close: () => socket.close(),
  };
}

function echoRtt(probe: Echoed, receivedMs: number, stamped: boolean, kind: string): Pick<Answer, 'rttMs' | 'how'> {
  if (probe.stepped)
    return { rttMs: null, how: `${kind}; the wall clock was stepped meanwhile, so the kernel stamps are void` };
  const sent = probe.transmittedMs === null ? 'user TX' : 'kernel TX';
  const how = `${sent} and ${stamped ? 'kernel' : 'user'} RX stamps, ${kind}`;
  return { rttMs: Math.max(0, receivedMs - (probe.transmittedMs ?? probe.sentMs)), how };
}

/** TCP handshakes: SYN to SYN-ACK, or SYN to reset, which is as good a round trip. Closed at once, without data. */
export function connectPinger(open: (request: SynRequest) => SynProbe, to: SynRequest, how: string): Pinger {
  const flying = new Map<number, SynProbe>();
  const forget = (sequence: number) => {
    flying.get(sequence)?.close();
    flying.delete(sequence);
  };
  return {
    method: 'tcp-connect',
    send(sequence) {
      try {
        flying.set(sequence, open({ address: to.address, port: to.port }));
        return null;
      } catch (error) {
        return { rttMs: null, outcome: sendFailure(errnoOf(error), to.address, 'socket'), how };
      }
    },
    poll(report) {
      for (const [sequence, probe] of flying) {
        const result = probe.poll();
        if (result !== null) report(sequence, synAnswer(result, to.address, how));
      }
    },
    forget,
    howLost: () => how,
    close: () => {
      for (const sequence of flying.keys()) forget(sequence);
    },
  };
}

function synAnswer(result: SynResult, address: string, how: string): Answer {
  switch (result.kind) {
    case 'accepted':
      // A SYN that had to be sent again is a lost packet, and the time is not one round trip.
      if (result.synRetransmits)
        return { rttMs: null, outcome: { kind: 'lost' }, how: `${how}; the SYN had to be sent again` };
      return { rttMs: result.rttMs, outcome: { kind: 'answered' }, how };
    case 'refused':
      return {
        rttMs: result.rttMs,
        outcome: { kind: 'refused', address },
        how: `${how}; reset seen by the user clock, up to a poll late`,
      };
    case 'icmp':
      if (result.by === address && isPortUnreachable(isIPv6(address) ? 6 : 4, result.type, result.code)) {
        return { rttMs: result.rttMs, outcome: { kind: 'refused', address }, how: `${how}; ${result.message}` };
      }
      return { rttMs: null, outcome: { kind: 'unreachable', by: result.by, message: result.message }, how };
    case 'failed':
      return { rttMs: null, outcome: sendFailure(result.errno, address, result.operation), how };
  }
}

function sendFailure(errno: string, address: string, operation: string): Outcome {
  const message = `${operation} ${address}: ${errno}`;
  if (isNoRoute(errno)) return { kind: 'unreachable', by: 'this host', message };
  if (errno === 'ETIMEDOUT') return { kind: 'lost' };
  return { kind: 'failed', phase: 'tcp', operation, errno, address, message };
}
