import type { ServerReported } from '../../model/inference.ts';
import type { DialectEvent } from './dialect.ts';
import type { ApiError } from './errors.ts';
import { asText } from './guards.ts';

export interface Usage {
  prompt?: number | undefined;
  cachedPrompt?: number | undefined;
  output?: number | undefined;
  reasoning?: number | undefined;
}

/**
 * What every dialect has in common while a stream is read: the events of the current read, and what must be said once
 * only. Times the server reports are held back until the end, since some servers repeat them in every event.
 */
export class StreamState {
  out: DialectEvent[] = [];
  ended = false;
  /** The peer itself said what went wrong: an end without marker is then no news. */
  failed = false;
  tokenEvents = 0;
  firstTokenEventTokens: number | undefined;
  #started = false;
  #complained = false;
  #model: string | undefined;
  #reported: readonly ServerReported[] = [];

  drain(): DialectEvent[] {
    const events = this.out;
    this.out = [];
    return events;
  }

  token(visible: boolean, textBytes: number): void {
    this.#started = true;
    this.tokenEvents++;
    this.out.push({ kind: 'token', visible, textBytes });
  }

  /** The answer began with an event that is no token. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.out.push({ kind: 'start' });
  }

  keepAlive(): void {
    this.out.push({ kind: 'keepAlive' });
  }

  model(value: unknown): void {
    if (value === this.#model) return;
    const model = asText(value, 200);
    if (model === undefined || model === this.#model) return;
    this.#model = model;
    this.out.push({ kind: 'model', model });
  }

  /** Emits the fields that are known; nothing when none is. */
  usage(usage: Usage): void {
    const event: DialectEvent = { kind: 'usage' };
    if (usage.prompt !== undefined) event.prompt = usage.prompt;
    if (usage.cachedPrompt !== undefined) event.cachedPrompt = usage.cachedPrompt;
    if (usage.output !== undefined) event.output = usage.output;
    if (usage.reasoning !== undefined) event.reasoning = usage.reasoning;
    if (Object.keys(event).length > 1) this.out.push(event);
  }

  reported(times: readonly ServerReported[]): void {
    if (times.length > 0) this.#reported = times;
  }

  finish(reason: unknown): void {
    const text = asText(reason, 100);
    if (text !== undefined) this.out.push({ kind: 'finish', reason: text });
  }

  /** An error of the peer. */
  error(error: ApiError): void {
    this.failed = true;
    this.out.push({ kind: 'error', ...error });
  }

  /** Our own complaint about the bytes; said once per stream, or garbage would flood the result. */
  complain(code: 'not-json' | 'oversized', message: string): void {
    if (this.#complained) return;
    this.#complained = true;
    this.out.push({ kind: 'error', code, message });
  }

  /** The end marker was seen. */
  end(): void {
    if (this.ended) return;
    this.#flushReported();
    this.ended = true;
    this.out.push({ kind: 'end' });
  }

  /** The body is over. */
  endOfBody(): void {
    if (this.ended) return;
    this.#flushReported();
    this.ended = true;
    if (!this.failed) {
      const message = `the body ended after ${this.tokenEvents} token events without the end marker of the stream`;
      this.out.push({ kind: 'error', code: 'truncated', message });
    }
  }

  #flushReported(): void {
    for (const reported of this.#reported) this.out.push({ kind: 'reported', reported });
    this.#reported = [];
  }
}
