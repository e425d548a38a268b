import type { ReflectorOptions } from './options.ts';
import type { Uniform } from './random.ts';

/** A deliberate pause. `beforeToken` and `beforeEvent` count from 0. */
export interface PlannedStall {
  beforeToken: number;
  beforeEvent: number;
  ms: number;
}

/** When one answer has to be written, all in milliseconds after the request was fully read. */
export interface Plan {
  queueMs: number;
  prefillMs: number;
  /** Tokens in the whole answer. */
  tokens: number;
  /** One entry per stream event: its due time. Never falls. */
  dueMs: Float64Array;
  /** One entry per stream event: tokens in it. */
  counts: Uint16Array;
  stalls: PlannedStall[];
}

/** The part of the options that shapes an answer in time. */
export type PlanOptions = Pick<
  ReflectorOptions,
  'queueMs' | 'prefillMsPer1kTokens' | 'tokenMs' | 'stall' | 'tokensPerEvent'
>;

/**
 * Lays out one answer on an absolute schedule: the first token is ready after queue and prefill, token k one draw of
 * `tokenMs` after token k−1, and a stall shifts everything behind it, as a preempted GPU would. An event is due when its last
 * token is ready. Being absolute, lateness in writing one event never moves the next.
 */
export function planAnswer(options: PlanOptions, promptTokens: number, tokens: number, uniform: Uniform): Plan {
  const { tokensPerEvent, tokenMs, stall } = options;
  const queueMs = options.queueMs.draw(uniform);
  const prefillMs = (options.prefillMsPer1kTokens.draw(uniform) * promptTokens) / 1000;
  const events = Math.ceil(tokens / tokensPerEvent);
  const dueMs = new Float64Array(events);
  const counts = new Uint16Array(events);
  const stalls: PlannedStall[] = [];
  const firstMs = queueMs + prefillMs;
  let shiftMs = 0;
  let drawnMs = 0;
  for (let token = 0; token < tokens; token++) {
    const event = Math.floor(token / tokensPerEvent);
    if (token > 0) drawnMs += tokenMs.draw(uniform);
    // Not in the first event: a pause there would be told apart from prefill by nobody.
    if (stall && event > 0 && uniform() < stall.probability) {
      const ms = stall.durationMs.draw(uniform);
      shiftMs += ms;
      stalls.push({ beforeToken: token, beforeEvent: event, ms });
    }
    // A constant gap is multiplied, not summed, so that 100 000 tokens carry no rounding error.
    const generatedMs = tokenMs.constant ? token * tokenMs.draw(uniform) : drawnMs;
    dueMs[event] = firstMs + generatedMs + shiftMs;
    counts[event] = (counts[event] ?? 0) + 1;
  }
  return { queueMs, prefillMs, tokens, dueMs, counts, stalls };
}
