import { seededRandom } from '../../src/stats/random.ts';

/** What a batch costs one server, seconds of one thread. */
export interface ServerCosts {
  /** The JavaScript thread: TLS, HTTP, checks, columns. */
  jsPerBatchSec: number;
  jsPerRowSec: number;
  /** The engine's side: one commit at a time, which takes every batch that waits. */
  commitSec: number;
  commitPerRowSec: number;
}

export interface Load {
  agents: number;
  batchRows: number;
  /** Seconds between two batches of one agent; 0: the next one as soon as the one before is acknowledged. */
  everySec: number;
  servers: number;
  /** Share of a core that the JavaScript thread gets: less than 1 where others want the machine, too. */
  jsShare: number;
  seconds: number;
  seed: number;
}

export interface Outcome {
  rowsPerSec: number;
  ackP50Sec: number;
  ackP99Sec: number;
  /** CPU of one JavaScript thread, share of a core, mean over servers. */
  jsUse: number;
}

interface Batch {
  agent: number;
  meantSec: number;
}

/**
 * One batch after another through JavaScript thread and commit, of every server for itself: agents are spread evenly and keep to their server. An
 * agent has one batch under way; what it could not send in time goes later, and counts from then, as in bench/watch-load.
 */
export function simulate(load: Load, costs: ServerCosts): Outcome {
  const random = seededRandom(load.seed);
  const outcomes = Array.from({ length: load.servers }, (_, k) => {
    const agents = Math.floor(load.agents / load.servers) + (k < load.agents % load.servers ? 1 : 0);
    return oneServer(agents, load, costs, random);
  });
  const acks = outcomes.flatMap((one) => one.ackSec).sort((a, b) => a - b);
  const at = (p: number) => acks[Math.min(acks.length - 1, Math.floor(p * acks.length))] ?? 0;
  return {
    rowsPerSec: (acks.length * load.batchRows) / load.seconds,
    ackP50Sec: at(0.5),
    ackP99Sec: at(0.99),
    jsUse: outcomes.reduce((sum, { busySec }) => sum + busySec, 0) / load.seconds / load.servers,
  };
}

function oneServer(agents: number, load: Load, costs: ServerCosts, random: () => number) {
  const { batchRows, everySec, seconds, jsShare } = load;
  const work = costs.jsPerBatchSec + costs.jsPerRowSec * batchRows;
  const coming = new Agenda<Batch>();
  for (let agent = 0; agent < agents; agent++) {
    const phase = random() * (everySec || work);
    coming.put(phase, { agent, meantSec: phase });
  }
  const ackSec: number[] = [];
  let busySec = 0;
  let jsFreeSec = 0;
  let commitFreeSec = 0;
  // Ready for the commit, in order of time: batches leave the one thread one after the other.
  let ready: { atSec: number; from: number; batch: Batch }[] = [];
  const commit = (untilSec: number) => {
    while (ready.length > 0) {
      const startSec = Math.max(commitFreeSec, ready[0]?.atSec ?? 0);
      if (startSec > untilSec) return;
      const taken = ready.filter(({ atSec }) => atSec <= startSec);
      ready = ready.slice(taken.length);
      const endSec = startSec + costs.commitSec + taken.length * batchRows * costs.commitPerRowSec;
      commitFreeSec = endSec;
      for (const { from, batch } of taken) {
        if (endSec <= seconds) ackSec.push(endSec - from);
        const meantSec = everySec === 0 ? endSec : batch.meantSec + everySec;
        coming.put(Math.max(endSec, meantSec), { agent: batch.agent, meantSec });
      }
    }
  };
  for (;;) {
    commit(coming.nextSec());
    const next = coming.take();
    if (next === null || next.atSec > seconds) break;
    const startSec = Math.max(next.atSec, jsFreeSec);
    jsFreeSec = startSec + work / jsShare;
    if (jsFreeSec <= seconds) busySec += work;
    ready.push({ atSec: jsFreeSec, from: next.atSec, batch: next.item });
  }
  return { ackSec, busySec };
}

/** What happens next: a binary heap by time. */
class Agenda<Item> {
  readonly #heap: { atSec: number; item: Item }[] = [];

  nextSec(): number {
    return this.#heap[0]?.atSec ?? Infinity;
  }

  put(atSec: number, item: Item): void {
    const heap = this.#heap;
    let k = heap.length;
    heap.push({ atSec, item });
    while (k > 0) {
      const parent = (k - 1) >> 1;
      if (heap[parent]!.atSec <= heap[k]!.atSec) return;
      [heap[parent], heap[k]] = [heap[k]!, heap[parent]!];
      k = parent;
    }
  }

  take(): { atSec: number; item: Item } | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let k = 0; ;) {
      let least = k;
      for (const child of [2 * k + 1, 2 * k + 2])
        if (child < heap.length && heap[child]!.atSec < heap[least]!.atSec) least = child;
      if (least === k) return first;
      [heap[least], heap[k]] = [heap[k]!, heap[least]!];
      k = least;
    }
  }
}
