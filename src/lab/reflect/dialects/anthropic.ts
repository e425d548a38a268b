import {
  metricsBody,
  namedSse,
  readList,
  readMaxTokens,
  readModel,
  RequestFault,
  sseType,
  type AnswerFacts,
  type AnswerWriter,
  type Dialect,
  type ServerTimesMs,
} from './dialect.ts';

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  404: 'not_found_error',
  413: 'request_too_large',
  529: 'overloaded_error',
};

/** Anthropic messages. Own times travel as `inferpath_metrics` of message_delta: clients have to ignore unknown fields. */
export const anthropic: Dialect = {
  name: 'anthropic',
  path: '/v1/messages',
  streamType: sseType,
  read: (body) => {
    const maxTokens = readMaxTokens(body['max_tokens']);
    if (maxTokens === undefined) throw new RequestFault(400, 'max_tokens: Field required');
    return {
      model: readModel(body),
      stream: body['stream'] === true,
      maxTokens,
      prompt: [body['system'], readList(body, 'messages')],
      includeUsage: true,
    };
  },
  begin: (facts) => new MessagesWriter(facts),
  fault: (status, message) =>
    JSON.stringify({ type: 'error', error: { type: errorTypes[status] ?? 'api_error', message } }),
};

class MessagesWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  #message(content: readonly object[], stopReason: string | null, outputTokens: number): object {
    const { id, asked, promptTokens } = this.#facts;
    return {
      id: `msg_${id}`,
      type: 'message',
      role: 'assistant',
      model: asked.model,
      content,
      stop_reason: stopReason,
      stop_sequence: null,
      usage: {
        input_tokens: promptTokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: outputTokens,
      },
    };
  }

  opening(): string {
    const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
    return (
      namedSse('message_start', { type: 'message_start', message: this.#message([], null, 1) }) +
      namedSse('content_block_start', block) +
      namedSse('ping', { type: 'ping' })
    );
  }

  token({ text }: { text: string }): string {
    return `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`;
  }

  closing(times: ServerTimesMs): string {
    const { tokens, bodyTimes } = this.#facts;
    const delta = {
      type: 'message_delta',
      delta: { stop_reason: this.#stopReason(), stop_sequence: null },
      usage: { output_tokens: tokens },
      ...(bodyTimes ? { inferpath_metrics: metricsBody(times, tokens) } : {}),
    };
    return (
      namedSse('content_block_stop', { type: 'content_block_stop', index: 0 }) +
      namedSse('message_delta', delta) +
      namedSse('message_stop', { type: 'message_stop' })
    );
  }

  whole(text: string, times: ServerTimesMs): string {
    const { tokens, bodyTimes } = this.#facts;
    return JSON.stringify({
      ...this.#message([{ type: 'text', text }], this.#stopReason(), tokens),
      ...(bodyTimes ? { inferpath_metrics: metricsBody(times, tokens) } : {}),
    });
  }

  #stopReason(): string {
    return this.#facts.finish === 'length' ? 'max_tokens' : 'end_turn';
  }
}
