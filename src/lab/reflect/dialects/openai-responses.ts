import { openaiFault } from './openai-chat.ts';
import {
  metricsBody,
  namedSse,
  readMaxTokens,
  readModel,
  RequestFault,
  sseType,
  type AnswerFacts,
  type AnswerWriter,
  type Dialect,
  type JsonObject,
  type ServerTimesMs,
} from './dialect.ts';

/** OpenAI responses: named events with running numbers; the terminal event repeats the whole text. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  path: '/v1/responses',
  streamType: sseType,
  read: (body) => {
    const input = body['input'];
    if (typeof input !== 'string' && !Array.isArray(input))
      throw new RequestFault(400, 'input: expected text or a list');
    return {
      model: readModel(body),
      stream: body['stream'] === true,
      maxTokens: readMaxTokens(body['max_output_tokens']),
      prompt: [body['instructions'], input],
      includeUsage: true,
    };
  },
  begin: (facts) => new ResponsesWriter(facts),
  fault: openaiFault,
};

class ResponsesWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;
  #sequence = 0;
  #text = '';

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  opening(): string {
    const response = this.#response('in_progress', []);
    return (
      this.#event('response.created', { response }) +
      this.#event('response.in_progress', { response }) +
      this.#event('response.output_item.added', { output_index: 0, item: this.#item('in_progress', []) }) +
      this.#event('response.content_part.added', { ...this.#place(), part: part('') })
    );
  }

  token({ text }: { text: string }): string {
    this.#text += text;
    return this.#event('response.output_text.delta', { ...this.#place(), delta: text, logprobs: [] });
  }

  closing(times: ServerTimesMs): string {
    const text = this.#text;
    const item = this.#item('completed', [part(text)]);
    return (
      this.#event('response.output_text.done', { ...this.#place(), text, logprobs: [] }) +
      this.#event('response.content_part.done', { ...this.#place(), part: part(text) }) +
      this.#event('response.output_item.done', { output_index: 0, item }) +
      this.#event(`response.${this.#status()}`, { response: this.#done(item, times) })
    );
  }

  whole(text: string, times: ServerTimesMs): string {
    return JSON.stringify(this.#done(this.#item('completed', [part(text)]), times));
  }

  #event(type: string, fields: JsonObject): string {
    return namedSse(type, { type, sequence_number: this.#sequence++, ...fields });
  }

  #place(): JsonObject {
    return { item_id: `msg_${this.#facts.id}`, output_index: 0, content_index: 0 };
  }

  #item(status: string, content: readonly object[]): object {
    return { id: `msg_${this.#facts.id}`, type: 'message', status, role: 'assistant', content };
  }

  #status(): string {
    return this.#facts.finish === 'length' ? 'incomplete' : 'completed';
  }

  #done(item: object, times: ServerTimesMs): object {
    const { promptTokens, tokens, bodyTimes, finish } = this.#facts;
    return {
      ...this.#response(this.#status(), [item]),
      incomplete_details: finish === 'length' ? { reason: 'max_output_tokens' } : null,
      usage: {
        input_tokens: promptTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: promptTokens + tokens,
      },
      ...(bodyTimes ? { metrics: metricsBody(times, tokens) } : {}),
    };
  }

  #response(status: string, output: readonly object[]): JsonObject {
    const { id, createdMs, asked } = this.#facts;
    return {
      id: `resp_${id}`,
      object: 'response',
      created_at: Math.floor(createdMs / 1000),
      status,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: asked.maxTokens ?? null,
      model: asked.model,
      output,
      parallel_tool_calls: true,
      temperature: 1,
      tool_choice: 'auto',
      tools: [],
      top_p: 1,
      metadata: {},
      usage: null,
    };
  }
}

function part(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}
