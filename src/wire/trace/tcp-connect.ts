import { randomInt } from 'node:crypto';
import type { QuotedPacket } from '../icmp-error.ts';
import { protocol } from '../ip.ts';
import { openSynProbe, type SynProbe, type SynResult } from '../syn-probe.ts';
import { flowLabelOf } from './header6.ts';
import { errorKind, type IcmpListener, plainAddress } from './icmp-listener.ts';
import { targetReply, type TraceEvents, type TraceReply, type TraceTarget, type TraceTransport } from './transport.ts';

/**
 * Connections to the very port that the application uses, by ordinary sockets: the only way by TCP that needs no privilege. A
 * flow is a source port, and a connection can be tried only once at a time, so the probes of one flow go one after the other.
 * What is accepted is reset before the handshake is complete: the application sees nothing, and the ports can be used again.
 * @param remark added to `how`
 */
export function openConnectTransport(target: TraceTarget, listener: IcmpListener | null, remark = ''): TraceTransport {
  return new ConnectTransport(target, listener, remark);
}

const FIRST_PORT = 40_000;
const PORTS = 20_000;
const PORT_TRIES = 5;

interface Attempt {
  id: number;
  flow: number;
  ttl: number;
  probe: SynProbe;
  triesLeft: number;
}

class ConnectTransport implements TraceTransport {
  readonly method = 'tcp-connect';
  readonly how: string;
  readonly #target: TraceTarget;
  readonly #listener: IcmpListener | null;
  readonly #ports: number[] = [];
  readonly #attempts = new Map<number, Attempt>();
  /** Whole ICMP errors of this drain by flow and sender. */
  readonly #heard = new Map<string, TraceReply>();

  constructor(target: TraceTarget, listener: IcmpListener | null, remark: string) {
    this.#target = target;
    this.#listener = listener;
    const hidden =
      listener === null
        ? '; the quoted header (TTL, DSCP, NAT), extensions and TTL of answers cannot be seen without CAP_NET_RAW'
        : ', ICMP by a raw socket';
    this.how = `TCP connections with a TTL, one flow per source port, user TX and kernel RX stamps (target: TCP_INFO)${hidden}${remark}`;
  }

  ready(flow: number): boolean {
    return this.#of(flow) === undefined;
  }

  send(id: number, flow: number, ttl: number): void {
    this.#attempts.set(id, { id, flow, ttl, probe: this.#connect(flow, ttl), triesLeft: PORT_TRIES });
  }

  forget(id: number): void {
    this.#attempts.get(id)?.probe.close();
    this.#attempts.delete(id);
  }

  drain(events: TraceEvents): number {
    const stepMs = this.#listen();
    const results = [...this.#attempts.values()].map((attempt) => ({ attempt, result: attempt.probe.poll() }));
    // What closed a connection just now was heard by the other socket before, but perhaps not read yet.
    const heard = results.some(({ result }) => result?.kind === 'icmp') ? this.#listen() : 0;
    for (const { attempt, result } of results) if (result !== null) this.#ended(attempt, result, events);
    this.#heard.clear();
    return stepMs + heard;
  }

  close(): void {
    for (const { probe } of this.#attempts.values()) probe.close();
    this.#attempts.clear();
    this.#listener?.close();
  }

  #connect(flow: number, ttl: number): SynProbe {
    const { address, port } = this.#target;
    const localPort = (this.#ports[flow] ??= anyPort());
    return openSynProbe({ address, port, hops: ttl, localPort, flowLabel: flowLabelOf(flow), reset: true });
  }

  #of(flow: number): Attempt | undefined {
    return [...this.#attempts.values()].find((attempt) => attempt.flow === flow);
  }

  /**
   * Whose probe an error belongs to is known by the queue of its connection alone, which checks the sequence number: a late one
   * for an earlier connection of the same ports must not be taken for an answer to this one. The message itself is kept for
   * what else it says.
   */
  #listen(): number {
    const keep = (quoted: QuotedPacket, reply: TraceReply) => {
      const flow = this.#ports.indexOf(quoted.sourcePort ?? -1);
      const ours = quoted.protocol === protocol.tcp && quoted.destinationPort === this.#target.port && flow >= 0;
      if (ours) this.#heard.set(`${flow} ${reply.from}`, reply);
    };
    return this.#listener?.drain(keep) ?? 0;
  }

  #ended(attempt: Attempt, result: SynResult, events: TraceEvents): void {
    const { address, family } = this.#target;
    if (result.kind === 'failed') return this.#failed(attempt, result, events);
    if (result.kind === 'icmp') {
      const { by, type, code, rttMs } = result;
      const from = plainAddress(by) ?? by;
      const kind = errorKind(family, type, code, from === address);
      const details = this.#heard.get(`${attempt.flow} ${from}`);
      events.replied(attempt.id, {
        ...targetReply(from, null),
        ...details,
        kind,
        icmp: { type, code },
        atMs: null,
        rttMs,
      });
    } else {
      const kind = result.kind === 'refused' ? 'refused' : 'target';
      events.replied(attempt.id, targetReply(address, null, { kind, rttMs: result.rttMs }));
    }
    this.forget(attempt.id);
  }

  /** A source port that somebody else has towards this target: another one, as long as the flow has not been used. */
  #failed(attempt: Attempt, { operation, errno }: Extract<SynResult, { kind: 'failed' }>, events: TraceEvents): void {
    attempt.probe.close();
    if ((errno === 'EADDRINUSE' || errno === 'EADDRNOTAVAIL') && attempt.triesLeft-- > 0) {
      this.#ports[attempt.flow] = anyPort();
      attempt.probe = this.#connect(attempt.flow, attempt.ttl);
      return;
    }
    this.#attempts.delete(attempt.id);
    // The kernel gave up by itself: nothing was learnt.
    if (errno !== 'ETIMEDOUT') events.failed(attempt.id, operation, errno);
  }
}

function anyPort(): number {
  return FIRST_PORT + randomInt(PORTS);
}
