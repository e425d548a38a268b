import { parentPort, workerData } from 'node:worker_threads';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import { CaptureError, newFrame } from '../../wire/pcap/frame.ts';
import { type CaptureEnd, type CaptureReader, captureReader } from '../../wire/pcap/reader.ts';
import type { FlowSeen, Share } from './analysis.ts';
import { Analyst, type CaptureSums } from './analyst.ts';
import type { TcpEvent } from './tcp/event.ts';

/** What a thread is given. */
export interface CrewStart {
  memory: readonly SharedArrayBuffer[];
  seed: number;
  share: Share;
  withEvents: boolean;
}

export type CrewOrder =
  /** The first octets of a block are the next ones. `isFirst`: a file begins. */
  | { kind: 'block'; block: number; length: number; isFirst: boolean }
  /** That was all of the file. */
  | { kind: 'end'; isFirst: boolean }
  /** That was all of the capture. */
  | { kind: 'finish' };

/** What one was told, once per order. */
export interface CrewReply {
  exchanges: [flow: number, exchange: JudgedExchange][];
  events: [flow: number, event: TcpEvent][];
  flows: [flow: CaptureFlow, seen: FlowSeen][];
  /** Of the file. */
  frames: number;
  format: 'pcap' | 'pcapng' | null;
  drops: number;
  problem: { message: string; offset: number } | null;
  end: CaptureEnd | null;
  startEpochMs: number | null;
  /** At the end of all. */
  sums: CaptureSums | null;
}

class CrewMember {
  readonly #analyst: Analyst;
  readonly #memory: Buffer[];
  readonly #frame = newFrame();
  #reader: CaptureReader = captureReader();
  #frames = 0;
  #problem: CrewReply['problem'] = null;
  #exchanges: CrewReply['exchanges'] = [];
  #events: CrewReply['events'] = [];
  #flows: CrewReply['flows'] = [];

  constructor({ memory, seed, share, withEvents }: CrewStart) {
    this.#memory = memory.map((shared) => Buffer.from(shared));
    this.#analyst = new Analyst(
      {
        exchange: (flow, exchange) => this.#exchanges.push([flow, exchange]),
        flow: (flow, seen) => this.#flows.push([flow, seen]),
        // As it is now: later it may turn out to have been for nothing.
        ...(withEvents && { event: (flow, event) => this.#events.push([flow, { ...event }]) }),
      },
      { seed, share },
    );
  }

  obey(order: CrewOrder): CrewReply {
    const { analysis } = this.#analyst;
    if (order.kind === 'finish') analysis.finish();
    else if (order.isFirst) this.#open();
    if (order.kind === 'block') this.#look(order);
    return {
      ...this.#found(),
      end: order.kind === 'end' ? this.#end() : null,
      frames: this.#frames,
      format: this.#reader.format,
      drops: this.#reader.drops,
      problem: this.#problem,
      startEpochMs: analysis.startEpochMs,
      sums: order.kind === 'finish' ? this.#analyst.sums() : null,
    };
  }

  #open(): void {
    this.#reader = captureReader();
    this.#frames = 0;
    this.#problem = null;
  }

  #look({ block, length }: CrewOrder & { kind: 'block' }): void {
    if (this.#problem) return;
    const { analysis } = this.#analyst;
    const [reader, frame] = [this.#reader, this.#frame];
    reader.push(this.#memory[block]!.subarray(0, length));
    try {
      while (reader.next(frame)) {
        this.#frames += 1;
        analysis.later(frame);
      }
    } catch (error) {
      this.#problem = problemOf(error);
    }
    analysis.turn();
  }

  #end(): CaptureEnd | null {
    try {
      return this.#reader.end();
    } catch (error) {
      this.#problem = problemOf(error);
      return null;
    }
  }

  #found(): Pick<CrewReply, 'exchanges' | 'events' | 'flows'> {
    const found = { exchanges: this.#exchanges, events: this.#events, flows: this.#flows };
    this.#exchanges = [];
    this.#events = [];
    this.#flows = [];
    return found;
  }
}

function problemOf(error: unknown): CrewReply['problem'] {
  if (error instanceof CaptureError) return { message: error.message, offset: error.offset };
  throw error;
}

if (parentPort) {
  const member = new CrewMember(workerData as CrewStart);
  parentPort.on('message', (order: CrewOrder) => parentPort!.postMessage(member.obey(order)));
}
