import type { Worker } from 'node:worker_threads';
import { seededRandom } from '../../stats/random.ts';
import { startWorker } from '../../wire/worker.ts';
import { addEffects, type Effects, effectsBytes, makeEffects } from './effects.ts';
import { addSource, makeSpace, type Question } from './source.ts';

/** How far it is: every case as seen from the sources that are done. */
export interface Simulation {
  effects: Effects;
  /** In the order in which they were done. */
  done: number[];
}

export interface SimulateOptions {
  /** Threads beside the calling one; 0: none, all is worked out between two turns of the event loop. */
  threads: number;
  /** Asked often: true to end early. What the threads hold then is finished first. */
  isStopped(): boolean;
  progress?(done: number, total: number): void;
  /** What was done before; it is gone on with. */
  before?: Simulation;
  /** Called now and then, while all threads rest. */
  keep?: { everyMs: number; save(simulation: Simulation): Promise<void>; nowMs(): number };
}

/** What a thread starts with, and what it and the caller say to each other. */
export interface ThreadSetup {
  question: Question;
  /** Where it adds the effects. */
  buffer: SharedArrayBuffer;
}
export type ThreadRequest = { sources: number[] };
export type ThreadReply = { tookMs: number };

/**
 * Works out every failure from all sources. They come in shuffled order, always the same: stopped early, the done ones are a fair
 * sample, and every case has been seen from each of them.
 */
export async function simulate(
  question: Question,
  sources: readonly number[],
  options: SimulateOptions,
): Promise<Simulation> {
  const before = options.before ?? { effects: makeEffects(question.table.count, question.doubles), done: [] };
  const seen = new Set(before.done);
  const queue = shuffled(sources).filter((source) => !seen.has(source));
  return options.threads > 0 ? inThreads(question, queue, before, options) : here(question, queue, before, options);
}

/** A fixed order that is none (Fisher and Yates). */
function shuffled(sources: readonly number[]): number[] {
  const random = seededRandom(1);
  const order = [...sources];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

async function here(question: Question, queue: number[], before: Simulation, options: SimulateOptions) {
  const { isStopped, progress, keep } = options;
  const simulation = { effects: before.effects, done: [...before.done] };
  const total = simulation.done.length + queue.length;
  const space = makeSpace(question);
  let savedMs = keep?.nowMs() ?? 0;
  for (const source of queue) {
    if (isStopped()) break;
    addSource(space, source, simulation.effects);
    simulation.done.push(source);
    progress?.(simulation.done.length, total);
    await new Promise((next) => setImmediate(next));
    if (keep && keep.nowMs() - savedMs >= keep.everyMs) {
      await keep.save(simulation);
      savedMs = keep.nowMs();
    }
  }
  return simulation;
}

/** A message takes a fraction of a millisecond, and a stop waits for the longest turn. */
const turnMs = 250;

async function inThreads(question: Question, queue: number[], before: Simulation, options: SimulateOptions) {
  const { isStopped, progress, keep } = options;
  const { count } = question.table;
  const done = [...before.done];
  const total = done.length + queue.length;
  const threads = Array.from({ length: Math.min(options.threads, Math.max(1, queue.length)) }, () => {
    const buffer = new SharedArrayBuffer(effectsBytes(count, question.doubles));
    return { thread: startThread({ question, buffer }), effects: makeEffects(count, question.doubles, buffer) };
  });
  const soFar = (): Simulation => {
    const effects = makeEffects(count, question.doubles);
    for (const part of [before.effects, ...threads.map((one) => one.effects)]) addEffects(effects, part);
    return { effects, done: [...done] };
  };
  const work = async (thread: Thread, mayGoOn: () => boolean) => {
    let turn = 1;
    while (queue.length > 0 && mayGoOn()) {
      const mine = queue.splice(0, turn);
      const { tookMs } = await thread.ask({ sources: mine });
      done.push(...mine);
      progress?.(done.length, total);
      const fits = Math.max(1, Math.floor((turnMs * mine.length) / Math.max(tookMs, 1)));
      turn = Math.min(fits, Math.ceil(queue.length / (4 * threads.length)) || 1);
    }
  };
  try {
    while (queue.length > 0 && !isStopped()) {
      const untilMs = keep ? keep.nowMs() + keep.everyMs : Infinity;
      const mayGoOn = () => !isStopped() && (!keep || keep.nowMs() < untilMs);
      await Promise.all(threads.map(({ thread }) => work(thread, mayGoOn)));
      if (keep && queue.length > 0) await keep.save(soFar());
    }
  } finally {
    await Promise.all(threads.map(({ thread }) => thread.end()));
  }
  return soFar();
}

interface Thread {
  ask(request: ThreadRequest): Promise<ThreadReply>;
  end(): Promise<unknown>;
}

function startThread(workerData: ThreadSetup): Thread {
  const worker: Worker = startWorker(import.meta.url, './failures.worker', { workerData });
  let failed: unknown = null;
  worker.on('error', (error) => (failed = error));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (failed) return reject(failed);
        const settle = (then: () => void) => {
          worker.off('message', onMessage);
          worker.off('error', onError);
          then();
        };
        const onMessage = (reply: ThreadReply) => settle(() => resolve(reply));
        const onError = (error: unknown) => settle(() => reject(error));
        worker.on('message', onMessage);
        worker.on('error', onError);
        worker.postMessage(request);
      }),
    end: () => worker.terminate(),
  };
}
