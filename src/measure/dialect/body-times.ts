import type { ServerReported } from '../../model/inference.ts';
import { asDuration, asObject } from './guards.ts';
import type { JsonObject } from './guards.ts';

/**
 * Times that inference servers write into their answers. Two numbers matter: how long from the request to the first token,
 * and to the last. Where a server splits them (queue, prefill, decode), the parts are added up to these two.
 */

type Covers = ServerReported['covers'];

/** Times in the body of any OpenAI-like answer: vLLM, Dynamo, NIM, LM Studio, llama.cpp, Groq, Cerebras, Fireworks. */
export function reportedFromBody(value: JsonObject): ServerReported[] {
  const out: ServerReported[] = [];
  const metrics = asObject(value['metrics']);
  if (metrics !== undefined) out.push(...fromQueueAndFirst('vllm metrics', metrics));
  const timing = asObject(asObject(value['nvext'])?.['timing']);
  if (timing !== undefined) out.push(...fromDynamo(timing));
  const stats = asObject(value['stats']);
  if (stats !== undefined) out.push(...fromStats(stats));
  const timings = asObject(value['timings']);
  if (timings !== undefined) out.push(...fromLlamaCpp(timings));
  const usage = asObject(asObject(value['x_groq'])?.['usage']) ?? asObject(value['usage']);
  if (usage !== undefined) out.push(...fromQueuePromptCompletion('groq usage', usage));
  const timeInfo = asObject(value['time_info']);
  if (timeInfo !== undefined) out.push(...fromQueuePromptCompletion('cerebras time_info', timeInfo));
  const perf = asObject(value['perf_metrics']);
  if (perf !== undefined) out.push(...fromFireworks(perf));
  return out;
}

/** Our own reflector says to Anthropic clients what vLLM says to OpenAI clients. */
export function reportedFromReflector(value: JsonObject): ServerReported[] {
  const metrics = asObject(value['inferpath_metrics']);
  return metrics === undefined ? [] : fromQueueAndFirst('inferpath_metrics', metrics);
}

// vLLM counts time_to_first_token_ms from scheduling, and generation_time_ms from the first token: the parts do not overlap.
function fromQueueAndFirst(source: string, metrics: JsonObject): ServerReported[] {
  const queueMs = asDuration(metrics['queue_time_ms']) ?? 0;
  const firstMs = asDuration(metrics['time_to_first_token_ms']);
  const generationMs = asDuration(metrics['generation_time_ms']);
  if (firstMs === undefined) return [];
  const resolutionMs = resolutionOfMs([queueMs, firstMs, generationMs]);
  const out = [server(source, 'ttft', queueMs + firstMs, resolutionMs)];
  if (generationMs !== undefined) out.push(server(source, 'total', queueMs + firstMs + generationMs, resolutionMs));
  return out;
}

function fromDynamo(timing: JsonObject): ServerReported[] {
  const ttftMs = asDuration(timing['ttft_ms']);
  const totalMs = asDuration(timing['total_time_ms']);
  const resolutionMs = resolutionOfMs([ttftMs, totalMs]);
  const out: ServerReported[] = [];
  if (ttftMs !== undefined) out.push(server('dynamo nvext.timing', 'ttft', ttftMs, resolutionMs));
  if (totalMs !== undefined) out.push(server('dynamo nvext.timing', 'total', totalMs, resolutionMs));
  return out;
}

/** `stats` is NIM (milliseconds) or LM Studio (seconds); told apart by the field names. */
function fromStats(stats: JsonObject): ServerReported[] {
  const firstMs = asDuration(asObject(stats['response_tokens'])?.['time_to_first_token_in_ms']);
  const processingMs = asDuration(stats['generation_time_in_ms']);
  if (firstMs !== undefined || processingMs !== undefined) {
    const queueMs = asDuration(stats['time_in_queue_in_ms']) ?? 0;
    // NVIDIA's page leaves open whether "processing" begins before or after the queue, hence this coarse value.
    const resolutionMs = Math.max(resolutionOfMs([firstMs, processingMs, queueMs]), queueMs);
    const out: ServerReported[] = [];
    if (firstMs !== undefined) out.push(server('nim stats', 'ttft', queueMs + firstMs, resolutionMs));
    if (processingMs !== undefined) out.push(server('nim stats', 'total', queueMs + processingMs, resolutionMs));
    return out;
  }
  const firstS = asDuration(stats['time_to_first_token']);
  if (firstS === undefined) return [];
  return [floor('lm-studio stats', 'ttft', firstS * 1_000, resolutionOfSeconds([firstS]))];
}

// llama.cpp starts its clock when a slot takes the request: waiting for a free slot is not in it.
function fromLlamaCpp(timings: JsonObject): ServerReported[] {
  const promptMs = asDuration(timings['prompt_ms']);
  const predictedMs = asDuration(timings['predicted_ms']);
  if (promptMs === undefined) return [];
  const resolutionMs = resolutionOfMs([promptMs, predictedMs]);
  const out = [floor('llama.cpp timings', 'ttft', promptMs, resolutionMs)];
  if (predictedMs !== undefined) out.push(floor('llama.cpp timings', 'total', promptMs + predictedMs, resolutionMs));
  return out;
}

// Seconds. Groq's total_time leaves the queue out and Cerebras' has it in: the larger of total and sum is right for both.
function fromQueuePromptCompletion(source: string, times: JsonObject): ServerReported[] {
  const queueS = asDuration(times['queue_time']);
  const promptS = asDuration(times['prompt_time']);
  if (promptS === undefined) return [];
  const completionS = asDuration(times['completion_time']);
  const totalS = asDuration(times['total_time']);
  const resolutionMs = resolutionOfSeconds([queueS, promptS, completionS, totalS]);
  const make = queueS === undefined ? floor : server;
  const firstS = (queueS ?? 0) + promptS;
  const out = [make(source, 'ttft', firstS * 1_000, resolutionMs)];
  if (completionS !== undefined) {
    out.push(make(source, 'total', Math.max(firstS + completionS, totalS ?? 0) * 1_000, resolutionMs));
  }
  return out;
}

function fromFireworks(perf: JsonObject): ServerReported[] {
  const out: ServerReported[] = [];
  const add = (field: string, covers: Covers): void => {
    const given = perf[field] ?? perf[`fireworks-${field}`];
    const seconds = asDuration(typeof given === 'string' ? decimal(given) : given);
    if (seconds === undefined) return;
    out.push(server('fireworks perf_metrics', covers, seconds * 1_000, resolutionOfSeconds([seconds])));
  };
  add('server-time-to-first-token', 'ttft');
  add('server-processing-time', 'total');
  return out;
}

/** A value by the server itself that covers the whole interval. */
export function server(source: string, covers: Covers, valueMs: number, resolutionMs: number): ServerReported {
  return { source, covers, by: 'server', valueMs, resolutionMs };
}

/** A value by the server that leaves waiting out: the real time is at least this. */
function floor(source: string, covers: Covers, valueMs: number, resolutionMs: number): ServerReported {
  return { ...server(source, covers, valueMs, resolutionMs), floor: true };
}

/** Fractions of a millisecond mean a clock finer than a millisecond; whole numbers were rounded to one. */
export function resolutionOfMs(valuesMs: readonly (number | undefined)[]): number {
  return valuesMs.some((value) => value !== undefined && !Number.isInteger(value)) ? 0.001 : 1;
}

/** In seconds the finest of the values that one server wrote together shows how many digits it writes. */
export function resolutionOfSeconds(valuesS: readonly (number | undefined)[]): number {
  let digits = 0;
  for (const value of valuesS) {
    if (value !== undefined) digits = Math.max(digits, fractionDigits(value));
  }
  return digits >= 4 ? 0.001 : 1_000 / 10 ** digits;
}

function fractionDigits(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const dot = mantissa.indexOf('.');
  return Math.max(0, (dot === -1 ? 0 : mantissa.length - dot - 1) - Number(exponent));
}

/** A decimal number of a header, at most 20 characters; undefined for anything else. */
export function decimal(text: string): number | undefined {
  return /^\d{1,14}(\.\d{1,14})?$/.test(text) ? Number(text) : undefined;
}
