import { parentPort, workerData } from 'node:worker_threads';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import { handlersOf } from './analyst.ts';
import { Batch, type BatchHead, type BatchMemory } from './batch.ts';
import { Conversations, type FlowSeen, type Share } from './conversations.ts';
import { PacketTap } from './patterns/packet-tap.ts';
import type { TcpEvent } from './tcp/event.ts';

/** What a thread is given. */
export interface CrewStart {
  seed: number;
  share: Share;
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
  flows: [flow: CaptureFlow, seen: FlowSeen][];
  /** Places of conversations that are over. */
  ended: readonly number[];
  /** At the end of all. */
  sums: { cutShort: number; refusedSeries: number } | null;
}

class CrewMember {
  readonly #conversations: Conversations;
  readonly #tap: PacketTap;
  readonly #blocks: Batch[] = [];
  #exchanges: CrewReply['exchanges'] = [];
  #events: CrewReply['events'] = [];
  #flows: CrewReply['flows'] = [];

  constructor({ seed, share, withEvents }: CrewStart) {
    this.#tap = new PacketTap(seed);
    const findings = {
      exchange: (flow: number, exchange: JudgedExchange) => void this.#exchanges.push([flow, exchange]),
      flow: (flow: CaptureFlow, seen: FlowSeen) => void this.#flows.push([flow, seen]),
      // As it is now: later it may turn out to have been for nothing.
      ...(withEvents && { event: (flow: number, event: TcpEvent) => void this.#events.push([flow, { ...event }]) }),
    };
    this.#conversations = new Conversations(handlersOf(findings, this.#tap), share);
  }

  obey(order: CrewOrder): CrewReply {
    if (order.kind === 'finish') {
      this.#conversations.finish();
      const { cutShort } = this.#conversations;
      return { ...this.#found(), ended: [], sums: { cutShort, refusedSeries: this.#tap.sums().refusedSeries } };
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
