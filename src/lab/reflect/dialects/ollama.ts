import {
  nested,
  readList,
  readModel,
  RequestFault,
  type AnswerFacts,
  type AnswerWriter,
  type Asked,
  type Dialect,
  type JsonObject,
  type ServerTimesMs,
} from './dialect.ts';

type Body = (text: string) => JsonObject;

/** Ollama's two routes differ in where the text stands. Durations are part of the dialect and always sent. */
function ollama(name: string, path: string, prompt: (body: JsonObject) => readonly unknown[], put: Body): Dialect {
  return {
    name,
    path,
    streamType: 'application/x-ndjson',
    read: (body): Asked => ({
      model: readModel(body),
      // Streams unless told otherwise, unlike every other dialect.
      stream: body['stream'] !== false,
      maxTokens: readNumPredict(nested(body, 'options', 'num_predict')),
      prompt: prompt(body),
      includeUsage: true,
    }),
    begin: (facts) => new LineWriter(facts, put),
    fault: (_status, message) => JSON.stringify({ error: message }),
  };
}

export const ollamaChat: Dialect = ollama(
  'ollama-chat',
  '/api/chat',
  (body) => [readList(body, 'messages')],
  (text) => ({ message: { role: 'assistant', content: text } }),
);

export const ollamaGenerate: Dialect = ollama(
  'ollama-generate',
  '/api/generate',
  (body) => {
    if (typeof body['prompt'] !== 'string') throw new RequestFault(400, 'prompt: expected a text');
    return [body['system'], body['prompt']];
  },
  (text) => ({ response: text }),
);

/** −1 (endless) and −2 (fill the context) are Ollama's ways of not saying. */
function readNumPredict(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}

class LineWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;
  readonly #put: Body;

  constructor(facts: AnswerFacts, put: Body) {
    this.#facts = facts;
    this.#put = put;
  }

  opening(): string {
    return '';
  }

  token({ text, wallMs }: { text: string; wallMs: number }): string {
    return `${JSON.stringify({ ...this.#line(wallMs), ...this.#put(text), done: false })}\n`;
  }

  closing(times: ServerTimesMs, wallMs: number): string {
    return `${this.whole('', times, wallMs)}\n`;
  }

  whole(text: string, times: ServerTimesMs, wallMs: number): string {
    const { finish, promptTokens, tokens } = this.#facts;
    return JSON.stringify({
      ...this.#line(wallMs),
      ...this.#put(text),
      done: true,
      done_reason: finish,
      total_duration: ns(times.queueMs + times.firstTokenMs + times.generationMs),
      // Ollama's own load_duration includes the wait for a free runner: the queue.
      load_duration: ns(times.queueMs),
      prompt_eval_count: promptTokens,
      prompt_eval_duration: ns(times.firstTokenMs),
      eval_count: tokens,
      eval_duration: ns(times.generationMs),
    });
  }

  #line(wallMs: number): JsonObject {
    return { model: this.#facts.asked.model, created_at: rfc3339Nano(wallMs) };
  }
}

/** RFC 3339 with nine digits, as Ollama prints it; the last three are zeros because a double holds microseconds only. */
export function rfc3339Nano(wallMs: number): string {
  const whole = Math.floor(wallMs);
  const micros = Math.min(999, Math.floor((wallMs - whole) * 1000));
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}000Z`;
}

function ns(ms: number): number {
  return Math.round(ms * 1e6);
}
