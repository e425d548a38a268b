import { parentPort, workerData } from 'node:worker_threads';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import { handlersOf } from './analyst.ts';
import { Batch, type BatchHead, type BatchMemory } from './batch.ts';
import { Conversations, type FlowSeen, type Share } from './conversations.ts';
import { PacketTap } from './patterns/packet-tap.ts';
import type { Tallied } from './summary.ts';
import type { TcpEvent } from './tcp/event.ts';
import { type Told, WholeFlows } from './whole-flows.ts';

/** What a thread is given. */
export interface CrewStart {
  seed: number;
  share: Share;
  told: Told;
  withExchanges: boolean;
  withEvents: boolean;
}

export type CrewOrder =
  | {
      kind: 'batch';
      /** Which block it lies in, and that block where it is new. */
      block: number;
      memory: { bytes: SharedArrayBuffer; batch: BatchMemory } | null;
      head: BatchHead;
    }
  /** That was all of the capture. */
  | { kind: 'finish' };

/** What one was told, once per order. */
export interface CrewReply {
  exchanges: [flow: number, exchange: JudgedExchange][];
  events: [flow: number, event: TcpEvent][];
  /** Those that were open at the end come in the order in which they began. */
  flows: [number: number, flow: FlowWithExchanges | null, seen: FlowSeen][];
  /** Places of conversations that are over. */
  ended: readonly number[];
  /** At the end of all. */
  sums: { cutShort: number; refusedSeries: number; tallied: Tallied } | null;
}

class CrewMember {
  readonly #conversations: Conversations;
  readonly #tap: PacketTap;
  readonly #wholes: WholeFlows;
  readonly #blocks: Batch[] = [];
  #exchanges: CrewReply['exchanges'] = [];
  #events: CrewReply['events'] = [];
  #flows: CrewReply['flows'] = [];

  constructor({ seed, share, told, withExchanges, withEvents }: CrewStart) {
    this.#tap = new PacketTap(seed);
    this.#wholes = new WholeFlows(told);
    const findings = {
      flow: (...of: CrewReply['flows'][number]) => void this.#flows.push(of),
      ...(withExchanges && {
        exchange: (flow: number, exchange: JudgedExchange) => void this.#exchanges.push([flow, exchange]),
      }),
      // As it is now: later it may turn out to have been for nothing.
      ...(withEvents && { event: (flow: number, event: TcpEvent) => void this.#events.push([flow, { ...event }]) }),
    };
    this.#conversations = new Conversations(handlersOf(findings, this.#tap, this.#wholes), share);
  }

  obey(order: CrewOrder): CrewReply {
    if (order.kind === 'finish') {
      this.#conversations.finish();
      const { cutShort } = this.#conversations;
      const { refusedSeries } = this.#tap.sums();
      return { ...this.#found(), ended: [], sums: { cutShort, refusedSeries, tallied: this.#wholes.tally.sums } };
    }
    const { block, memory, head } = order;
    if (memory) {
      this.#blocks[block] = new Batch(memory.batch);
      this.#blocks[block].bytes = Buffer.from(memory.bytes);
    }
    const batch = this.#blocks[block]!;
    batch.head = head;
    const ended = this.#conversations.look(batch);
    return { ...this.#found(), ended, sums: null };
  }

  #found(): Pick<CrewReply, 'exchanges' | 'events' | 'flows'> {
    const found = { exchanges: this.#exchanges, events: this.#events, flows: this.#flows };
    this.#exchanges = [];
    this.#events = [];
    this.#flows = [];
    return found;
  }
}

if (parentPort) {
  const member = new CrewMember(workerData as CrewStart);
  parentPort.on('message', (order: CrewOrder) => parentPort!.postMessage(member.obey(order)));
}
