import type { Clock } from '../../wire/io.ts';
import type { Channel } from './channel.ts';
import type { Clockwork } from './clockwork.ts';
import type { AnswerFacts, AnswerWriter, Dialect, ServerTimesMs } from './dialects/dialect.ts';
import type { DueTask } from './due-queue.ts';
import type { ServerTimes } from './options.ts';
import type { Plan } from './plan.ts';
import { tokenText } from './prompt.ts';
import type { TruthRow } from './truth.ts';

/** A client that takes nothing for this long is cut off. */
const drainDeadlineMs = 60_000;

/** What the request was, as far as the truth row tells. */
export type RequestFacts = Pick<
  TruthRow,
  'requestId' | 'httpVersion' | 'startedAt' | 'requestHeadMs' | 'requestReadMs' | 'bytesRead' | 'connection' | 'reused'
>;

export interface AnswerSetup {
  channel: Channel;
  clockwork: Clockwork;
  clock: Clock;
  dialect: Dialect;
  facts: AnswerFacts;
  request: RequestFacts;
  plan: Plan;
  serverTimes: ServerTimes;
  earlyHeaders: boolean;
  /** Called for every event with its lateness. */
  onLag(lagMs: number): void;
  /** Called exactly once. */
  onEnd(row: TruthRow): void;
}

/** One answer on its way: a task that the clockwork runs once per event. */
export class Answer implements DueTask {
  dueMs = 0;
  slot = -1;
  readonly #setup: AnswerSetup;
  readonly #writer: AnswerWriter;
  readonly #wallOffsetMs: number;
  readonly #tokenMs: number[] = [];
  readonly #late: number[] = [];
  #firstByteMs: number | null = null;
  #stampMs = 0;
  #handed = true;
  #opened = false;
  #tokensWritten = 0;
  #ended = false;
  #drainTimer: NodeJS.Timeout | undefined;

  constructor(setup: AnswerSetup) {
    this.#setup = setup;
    this.#writer = setup.dialect.begin(setup.facts);
    this.#wallOffsetMs = setup.clock.wallMs() - setup.clock.monoMs();
  }

  start(): void {
    const { facts, earlyHeaders } = this.#setup;
    if (facts.asked.stream && earlyHeaders) this.#open(this.#writer.opening(), () => undefined);
    this.#schedule(facts.asked.stream ? 0 : this.#setup.plan.dueMs.length - 1);
  }

  /** The client went away or the server stops. */
  abort(): void {
    this.#finish(true);
  }

  /** The response has been handed over in full. */
  complete(): void {
    this.#finish(false);
  }

  run(): void {
    if (this.#ended) return;
    const { clock, facts, plan } = this.#setup;
    this.#stampMs = clock.monoMs();
    this.#setup.onLag(this.#stampMs - this.dueMs);
    if (!facts.asked.stream) return this.#writeWhole();
    // Before the token, because a dialect may number its events.
    const preamble = this.#opened ? '' : this.#writer.opening();
    const index = this.#tokenMs.length;
    const count = plan.counts[index]!;
    const event = this.#writer.token({
      text: tokenText(this.#tokensWritten, count),
      count,
      from: this.#tokensWritten,
      wallMs: this.#stampMs + this.#wallOffsetMs,
    });
    this.#tokensWritten += count;
    if (this.#opened) this.#send(event, this.#tokenDone);
    else this.#open(preamble + event, this.#tokenDone);
  }

  /** First write: head, preamble and, unless headers go early, the first token. */
  #open(text: string, done: () => void): void {
    const { channel, clock, dialect, request, serverTimes } = this.#setup;
    this.#stampMs = clock.monoMs();
    this.#firstByteMs = this.#stampMs;
    this.#opened = true;
    channel.head({
      'content-type': dialect.streamType,
      'cache-control': 'no-cache',
      // Asks a buffering proxy to pass events on as they come (nginx, and those that copied it).
      'x-accel-buffering': 'no',
      ...answerHeaders(request, serverTimes, this.#stampMs),
    });
    if (text === '') channel.flushHead();
    else this.#send(text, done);
  }

  #send(text: string, done: () => void): void {
    this.#handed = this.#setup.channel.write(text, done);
    if (this.#handed || this.#drainTimer) return;
    this.#drainTimer = setTimeout(() => this.#setup.channel.destroy(), drainDeadlineMs);
    this.#drainTimer.unref();
  }

  /** The kernel has the event: note its stamp, go on to the next. */
  readonly #tokenDone = (): void => {
    if (this.#ended) return;
    clearTimeout(this.#drainTimer);
    this.#drainTimer = undefined;
    const nowMs = this.#setup.clock.monoMs();
    if (!this.#handed || nowMs - this.#stampMs > this.#setup.channel.lateAfterMs) {
      this.#stampMs = nowMs;
      this.#late.push(this.#tokenMs.length);
    }
    this.#tokenMs.push(this.#stampMs);
    if (this.#tokenMs.length < this.#setup.plan.dueMs.length) this.#schedule(this.#tokenMs.length);
    else this.#close();
  };

  #close(): void {
    const { channel, clock } = this.#setup;
    const text = this.#writer.closing(this.#times(), clock.monoMs() + this.#wallOffsetMs);
    this.#stampMs = clock.monoMs();
    channel.end(text);
  }

  #writeWhole(): void {
    const { channel, plan, request, serverTimes } = this.#setup;
    this.#tokensWritten = plan.tokens;
    this.#firstByteMs = this.#stampMs;
    this.#tokenMs.push(this.#stampMs);
    const text = this.#writer.whole(
      tokenText(0, plan.tokens).trimStart(),
      this.#times(),
      this.#stampMs + this.#wallOffsetMs,
    );
    channel.head({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...answerHeaders(request, serverTimes, this.#stampMs),
    });
    channel.end(text);
  }

  #schedule(event: number): void {
    this.dueMs = this.#setup.request.requestReadMs + this.#setup.plan.dueMs[event]!;
    this.#setup.clockwork.add(this);
  }

  /**
   * The server's own times, from the very stamps of the truth row. Without a stream all tokens leave in one write; the first
   * one then counts as made when it was due, as an engine behind an HTTP front would report it.
   */
  #times(): ServerTimesMs {
    const { plan, request, facts } = this.#setup;
    const first = facts.asked.stream
      ? this.#tokenMs[0]! - request.requestReadMs
      : Math.min(plan.dueMs[0]!, this.#stampMs - request.requestReadMs);
    const last = this.#tokenMs.at(-1)! - request.requestReadMs;
    const queueMs = Math.min(plan.queueMs, first);
    return { queueMs, firstTokenMs: first - queueMs, generationMs: last - first };
  }

  #finish(aborted: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#drainTimer);
    this.#setup.clockwork.cancel(this);
    const { plan, request, facts, dialect, clock } = this.#setup;
    const events = this.#tokenMs.length;
    const { stream } = facts.asked;
    this.#setup.onEnd({
      ...request,
      dialect: dialect.name,
      stream,
      firstByteMs: this.#firstByteMs,
      firstTokenMs: this.#tokenMs[0] ?? null,
      lastTokenMs: this.#tokenMs.at(-1) ?? null,
      endMs: aborted ? clock.monoMs() : this.#stampMs,
      queueMs: plan.queueMs,
      prefillMs: plan.prefillMs,
      tokens: stream ? plan.counts.subarray(0, events).reduce((sum, count) => sum + count, 0) : this.#tokensWritten,
      tokenMs: this.#tokenMs,
      tokenCounts: stream ? [...plan.counts.subarray(0, events)] : this.#tokenMs.map(() => plan.tokens),
      scheduledMs: stream
        ? Array.from(plan.dueMs.subarray(0, events), (ms) => ms + request.requestReadMs)
        : this.#tokenMs.map(() => this.dueMs),
      backpressuredEvents: this.#late,
      backpressured: this.#late.length > 0,
      stalls: plan.stalls,
      promptTokens: facts.promptTokens,
      aborted,
    });
  }
}

function answerHeaders(
  request: RequestFacts,
  serverTimes: ServerTimes,
  firstByteMs: number,
): Readonly<Record<string, string>> {
  return {
    'x-request-id': request.requestId,
    'request-id': request.requestId,
    ...(serverTimes === 'headers'
      ? { 'openai-processing-ms': String(Math.round(firstByteMs - request.requestReadMs)) }
      : {}),
  };
}
