import type { Io } from '../../wire/io.ts';
import { targetReply, type TraceEvents, type TraceReply, type TraceTransport } from '../../wire/trace/transport.ts';
import { answerOf, type Network } from './network.case.ts';
import type { TraceDoors } from './updates.ts';

export interface Simulation {
  network: Network;
  clock: Io['clock'];
  /** What changes an answer, or takes it away; by default a round trip takes 2 ms per hop. */
  twist?: (reply: TraceReply, probe: { flow: number; ttl: number; sentMs: number }) => TraceReply | null;
  /** Thrown by send. */
  failure?: Error;
  /** One probe of a flow at a time, as by connect(). */
  exclusive?: boolean;
  /** What drain() says of the wall clock, call by call. */
  stepsMs?: number[];
}

export interface SimulatedTransport extends TraceTransport {
  sent: { flow: number; ttl: number; atMs: number }[];
  open: number;
}

/** A transport over a network in memory: answers come by the fake clock, with stamps that are exact. */
export function simulatedTransport(simulation: Simulation): SimulatedTransport {
  const { network, clock, twist = (reply) => reply, exclusive = false } = simulation;
  const due: { id: number; reply: TraceReply | null; sentMs: number; dueMs: number; stamped: boolean }[] = [];
  const busy = new Map<number, number>();
  const transport: SimulatedTransport = {
    method: exclusive ? 'tcp-connect' : 'icmp',
    how: 'simulated',
    sent: [],
    open: 1,
    ready: (flow) => !exclusive || ![...busy.values()].includes(flow),
    send: (id, flow, ttl) => {
      if (simulation.failure) throw simulation.failure;
      const sentMs = clock.monoMs();
      const answer = answerOf(network, ttl, flow, transport.sent.length);
      transport.sent.push({ flow, ttl, atMs: sentMs });
      busy.set(id, flow);
      const icmp = answer?.ends ? { type: 3, code: 3 } : { type: 11, code: 0 };
      const hops = Math.min(ttl, network.next.length);
      const more = { kind: answer?.ends ? ('target' as const) : ('exceeded' as const), icmp };
      const reply = answer && twist(targetReply(answer.address, sentMs + 2 * hops, more), { flow, ttl, sentMs });
      due.push({ id, reply, sentMs, dueMs: reply?.atMs ?? sentMs, stamped: false });
    },
    forget: (id) => void busy.delete(id),
    drain: (events: TraceEvents) => {
      const nowMs = clock.monoMs();
      for (let i = 0; i < due.length; i++) {
        const one = due[i]!;
        if (!one.stamped) events.transmitted(one.id, one.sentMs);
        one.stamped = true;
        if (one.dueMs > nowMs) continue;
        if (one.reply) events.replied(one.id, one.reply);
        due.splice(i--, 1);
      }
      return simulation.stepsMs?.shift() ?? 0;
    },
    close: () => void transport.open--,
  };
  return transport;
}

export function simulatedDoors(transport: TraceTransport): TraceDoors {
  return { open: () => transport, holdStamps: () => Promise.resolve(() => undefined), soleNextHop: () => null };
}

/** A network of one path, by its routers: null for one that is silent. Its target is the last address. */
export function chain(routers: readonly (string | null)[], target: string | null): Network {
  const all = [null, ...routers, target];
  return {
    next: all.map((_, node) => (node + 1 < all.length ? [node + 1] : [])),
    address: all.map((address) => address ?? '0.0.0.0'),
    silent: all.map((address, node) => node > 0 && address === null),
    perPacket: all.map(() => false),
    loss: 0,
    seed: 1,
  };
}
