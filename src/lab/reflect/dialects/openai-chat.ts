import {
  metricsBody,
  nested,
  readList,
  readMaxTokens,
  readModel,
  sse,
  sseType,
  type AnswerFacts,
  type AnswerWriter,
  type Dialect,
  type ServerTimesMs,
} from './dialect.ts';

/** OpenAI chat completions, with vLLM's `metrics` when the server reports its times in the body. */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  path: '/v1/chat/completions',
  streamType: sseType,
  read: (body) => ({
    model: readModel(body),
    stream: body['stream'] === true,
    maxTokens: readMaxTokens(body['max_completion_tokens'], body['max_tokens']),
    prompt: [readList(body, 'messages')],
    includeUsage: nested(body, 'stream_options', 'include_usage') === true,
  }),
  begin: (facts) => new ChatWriter(facts),
  fault: openaiFault,
};

/** OpenAI's error document. */
export function openaiFault(status: number, message: string): string {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return JSON.stringify({ error: { message, type, param: null, code: status === 404 ? 'unknown_url' : null } });
}

class ChatWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;
  readonly #head: string;
  readonly #usage: object;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
    this.#usage = {
      prompt_tokens: facts.promptTokens,
      completion_tokens: facts.tokens,
      total_tokens: facts.promptTokens + facts.tokens,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    };
    // Everything that is equal in all events of an answer is made once: this is the hot path of the server.
    this.#head = `data: ${JSON.stringify(this.#chunk()).slice(0, -1)},"choices":[{"index":0,"delta":{`;
  }

  #chunk(): object {
    const { id, asked, createdMs } = this.#facts;
    return {
      id: `chatcmpl-${id}`,
      object: 'chat.completion.chunk',
      created: Math.floor(createdMs / 1000),
      model: asked.model,
      system_fingerprint: 'fp_reflect',
    };
  }

  opening(): string {
    return `${this.#head}"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]${this.#nullUsage()}}\n\n`;
  }

  token({ text }: { text: string }): string {
    return `${this.#head}"content":${JSON.stringify(text)}},"logprobs":null,"finish_reason":null}]${this.#nullUsage()}}\n\n`;
  }

  closing(times: ServerTimesMs): string {
    const { finish, asked, bodyTimes, tokens } = this.#facts;
    const finishing = `${this.#head}},"logprobs":null,"finish_reason":"${finish}"}]${this.#nullUsage()}}\n\n`;
    const last = { ...this.#chunk(), choices: [], usage: this.#usage };
    const metrics = bodyTimes ? { metrics: metricsBody(times, tokens) } : {};
    const usage = asked.includeUsage || bodyTimes ? sse({ ...last, ...metrics }) : '';
    return `${finishing}${usage}data: [DONE]\n\n`;
  }

  whole(text: string, times: ServerTimesMs): string {
    const { finish, bodyTimes, tokens } = this.#facts;
    const message = { role: 'assistant', content: text, refusal: null };
    return JSON.stringify({
      ...this.#chunk(),
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
      usage: this.#usage,
      ...(bodyTimes ? { metrics: metricsBody(times, tokens) } : {}),
    });
  }

  #nullUsage(): string {
    return this.#facts.asked.includeUsage ? ',"usage":null' : '';
  }
}
