import { isIPv6 } from 'node:net';
import type { LoadLatency } from '../../model/throughput.ts';
import { IPPROTO_UDP, SOCK_DGRAM } from '../../wire/abi.ts';
import { openEchoSocket } from '../../wire/echo-socket.ts';
import { StampedSocket } from '../../wire/error-queue.ts';
import { decodeEchoAnswer, ECHO_BYTES, encodeEchoRequest } from '../../wire/iperf/datagram.ts';
import { memory, SystemCallError } from '../../wire/libc.ts';
import type { Endpoint } from '../../wire/mover/sockets.ts';
import { openSynProbe, type SynProbe } from '../../wire/syn-probe.ts';

/** One way of asking for a round trip beside a test. Sequences rise by one and are never used twice. */
export interface RttProbe {
  method: LoadLatency['method'];
  how: string;
  /** False when it could not leave. */
  send(sequence: number): boolean;
  /** Reports what has come; null for a probe that cannot be told, e.g. because a clock was stepped. */
  poll(report: (sequence: number, rttMs: number | null) => void): void;
  /** It is lost. */
  forget(sequence: number): void;
  close(): void;
}

interface Flying {
  /** The caller's number; the wire has room for fewer. */
  sequence: number;
  leftMs: number;
}

/** Our own echo in the server: kernel stamps here, and the time in the server taken off. */
export function udpEchoProbe({ address, port }: Endpoint, token: bigint): RttProbe {
  const socket = new StampedSocket(isIPv6(address) ? 6 : 4, SOCK_DGRAM, IPPROTO_UDP, 'tx+rx');
  socket.connect(address, port);
  const packet = memory(ECHO_BYTES);
  const flying = new Map<number, Flying>();
  return {
    method: 'udp-echo',
    how: "kernel stamps of UDP datagrams on a flow of their own, less the server's own time",
    send(sequence) {
      flying.set(sequence, { sequence, leftMs: socket.clock.monoMs() });
      encodeEchoRequest(packet, sequence, token);
      return sends(() => socket.send(packet, ECHO_BYTES, sequence, address));
    },
    poll(report) {
      const came: { sequence: number; atMs: number; dwellMs: number }[] = [];
      const stepMs = socket.drain({
        transmitted: (sequence, atMs) => stamp(flying, sequence, atMs),
        icmpError: () => undefined,
        received: (bytes, _control, atMs) => {
          const answer = decodeEchoAnswer(socket.message.data, bytes);
          if (answer?.token !== token) return;
          came.push({ sequence: answer.sequence, atMs: atMs ?? socket.clock.monoMs(), dwellMs: answer.dwellMs });
        },
      });
      for (const { sequence, atMs, dwellMs } of came) settle(flying, sequence, atMs, dwellMs, stepMs !== 0, report);
    },
    forget: (sequence) => void flying.delete(sequence),
    close: () => socket.close(),
  };
}

/** @throws SystemCallError where neither a ping socket nor a raw one is permitted */
export function icmpProbe({ address }: Endpoint): RttProbe {
  const socket = openEchoSocket(address, isIPv6(address) ? 6 : 4);
  const flying = new Map<number, Flying>();
  return {
    method: 'icmp',
    how: `kernel stamps of ICMP echo, ${socket.kind}`,
    send(sequence) {
      flying.set(sequence & 0xffff, { sequence, leftMs: Number.NaN });
      return sends(() => socket.send(sequence & 0xffff));
    },
    poll(report) {
      const came: { sequence: number; atMs: number }[] = [];
      const stepMs = socket.drain({
        transmitted: (sequence, atMs) => stamp(flying, sequence, atMs),
        replied: (sequence, atMs) => void (atMs !== null && came.push({ sequence, atMs })),
        undeliverable: () => undefined,
      });
      for (const { sequence, atMs } of came) settle(flying, sequence, atMs, 0, stepMs !== 0, report);
    },
    forget: (sequence) => void flying.delete(sequence & 0xffff),
    close: () => socket.close(),
  };
}

function stamp(flying: Map<number, Flying>, key: number, atMs: number): void {
  const probe = flying.get(key);
  if (probe) probe.leftMs = atMs;
}

function settle(
  flying: Map<number, Flying>,
  key: number,
  atMs: number,
  dwellMs: number,
  stepped: boolean,
  report: (sequence: number, rttMs: number | null) => void,
): void {
  const probe = flying.get(key);
  if (!probe || !flying.delete(key)) return;
  const rttMs = atMs - probe.leftMs - dwellMs;
  report(probe.sequence, stepped || Number.isNaN(rttMs) ? null : Math.max(0, rttMs));
}

/** A full queue of our own is no answer and no loss of the path. */
function sends(send: () => void): boolean {
  try {
    send();
    return true;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return false;
  }
}

/** How long an answered connection stays open, so that the server can say its octet to it. */
const LINGER_POLLS = 200;
const CONNECTIONS_MAX = 64;

/**
 * Handshakes with the port of a server that is busy with our test: stock iperf3 accepts them and says "busy". They are closed
 * only after it has said so, because a server that writes to a reset connection takes that for the end of the running test.
 */
export function handshakeProbe(to: Endpoint): RttProbe {
  const flying = new Map<number, SynProbe>();
  const lingering: { probe: SynProbe; polls: number }[] = [];
  return {
    method: 'tcp-connect',
    how: 'TCP_INFO of handshakes with the port of the server',
    send(sequence) {
      if (flying.size + lingering.length >= CONNECTIONS_MAX) return false;
      return sends(() => void flying.set(sequence, openSynProbe(to)));
    },
    poll(report) {
      for (const [sequence, probe] of flying) {
        const result = probe.poll();
        if (result === null) continue;
        flying.delete(sequence);
        lingering.push({ probe, polls: 0 });
        if (result.kind === 'accepted' && !result.synRetransmits) report(sequence, result.rttMs);
        else if (result.kind === 'refused') report(sequence, result.rttMs);
        else report(sequence, null);
      }
      for (const one of lingering) one.polls++;
      while (lingering[0] && lingering[0].polls > LINGER_POLLS) lingering.shift()!.probe.close();
    },
    forget(sequence) {
      flying.get(sequence)?.close();
      flying.delete(sequence);
    },
    close() {
      for (const { probe } of lingering) probe.close();
      for (const probe of flying.values()) probe.close();
    },
  };
}
