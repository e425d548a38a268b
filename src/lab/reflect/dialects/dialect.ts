/** A JSON object from outside; nothing in it is believed before it is looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What a request asks for, in the words common to all dialects. */
export interface Asked {
  model: string;
  stream: boolean;
  /** Highest number of tokens the client wants; undefined when it does not say. */
  maxTokens: number | undefined;
  /** The fields that hold the prompt. */
  prompt: readonly unknown[];
  /** OpenAI's `stream_options.include_usage`. */
  includeUsage: boolean;
}

/** The server's own times of one answer, in milliseconds; together they are the time from request read to last token. */
export interface ServerTimesMs {
  queueMs: number;
  /** From being scheduled to the first token handed to the kernel. */
  firstTokenMs: number;
  /** First token to last token. */
  generationMs: number;
}

/** One answer about to be written. */
export interface AnswerFacts {
  asked: Asked;
  /** Unique number for ids inside the answer. */
  id: string;
  createdMs: number;
  promptTokens: number;
  tokens: number;
  finish: 'stop' | 'length';
  /** True when the server reports its own times in the body. */
  bodyTimes: boolean;
}

/** One token event to be written. */
export interface TokenEvent {
  text: string;
  /** Tokens in this event. */
  count: number;
  /** Tokens generated before this event. */
  from: number;
  /** Wall clock of the write, ms since the epoch with fraction. */
  wallMs: number;
}

/** Turns the events of one answer into the bytes of a dialect. Texts are whole events, ready to send. */
export interface AnswerWriter {
  /** What precedes the first token. */
  opening(): string;
  token(event: TokenEvent): string;
  /** What follows the last token, end marker included. */
  closing(times: ServerTimesMs, wallMs: number): string;
  /** The whole answer in one JSON document, for requests without streaming. */
  whole(text: string, times: ServerTimesMs, wallMs: number): string;
}

/** One wire format: one file here, one line in registry.ts. */
export interface Dialect {
  name: string;
  path: string;
  streamType: string;
  /** @throws RequestFault when the request cannot be answered. */
  read(body: JsonObject): Asked;
  begin(facts: AnswerFacts): AnswerWriter;
  fault(status: number, message: string): string;
}

/** A request that is refused: HTTP status and one sentence. */
export class RequestFault extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'RequestFault';
    this.status = status;
  }
}

export const sseType = 'text/event-stream; charset=utf-8';

/** One server-sent event without a name. */
export function sse(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** One server-sent event with a name. */
export function namedSse(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * The model that the client asked for, cut at 200 characters; without one `reflector`, as servers of a single model do, so that
 * a path can be tried with nothing but a URL. @throws RequestFault when it is no text.
 */
export function readModel(body: JsonObject): string {
  const model = body['model'] ?? 'reflector';
  if (typeof model !== 'string' || model === '') throw new RequestFault(400, 'The model has to be a name');
  return model.slice(0, 200);
}

/** First of the values that is a positive whole number. @throws RequestFault when one is given and is not. */
export function readMaxTokens(...values: readonly unknown[]): number | undefined {
  const given = values.find((value) => value !== undefined && value !== null);
  if (given === undefined) return undefined;
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 1)
    throw new RequestFault(400, 'The maximum number of tokens has to be a whole number of 1 or above');
  return given;
}

/** A list that is present and not empty. @throws RequestFault otherwise. */
export function readList(body: JsonObject, key: string): readonly unknown[] {
  const value = body[key];
  if (!Array.isArray(value) || value.length === 0)
    throw new RequestFault(400, `${key}: expected a list with at least one entry`);
  return value;
}

/** `key` of a nested object, or undefined on anything unexpected. */
export function nested(body: JsonObject, outer: string, key: string): unknown {
  const value = body[outer];
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined;
}

/** The times under the names of vLLM's per-request metrics: time to first token counts from being scheduled. */
export function metricsBody(times: ServerTimesMs, tokens: number): JsonObject {
  const gaps = Math.max(1, tokens - 1);
  return {
    time_to_first_token_ms: round(times.firstTokenMs),
    generation_time_ms: round(times.generationMs),
    queue_time_ms: round(times.queueMs),
    mean_itl_ms: round(times.generationMs / gaps),
    tokens_per_second: times.generationMs > 0 ? round((1000 * gaps) / times.generationMs) : null,
  };
}

/** Microseconds: finer would claim what a write call does not hold. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
