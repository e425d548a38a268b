import {
  nested,
  readMaxTokens,
  RequestFault,
  sse,
  sseType,
  type AnswerFacts,
  type AnswerWriter,
  type Dialect,
  type TokenEvent,
} from './dialect.ts';

/** Text Generation Inference: `/generate_stream` (always streams) and `/generate`. The last token event carries the text. */
function tgi(path: string, stream: boolean): Dialect {
  return {
    name: 'tgi',
    path,
    streamType: sseType,
    read: (body) => {
      if (typeof body['inputs'] !== 'string') throw new RequestFault(422, 'inputs: expected a text');
      return {
        model: 'tgi',
        stream,
        maxTokens: readMaxTokens(nested(body, 'parameters', 'max_new_tokens')),
        prompt: [body['inputs']],
        includeUsage: true,
      };
    },
    begin: (facts) => new TgiWriter(facts),
    fault: (status, message) =>
      JSON.stringify({ error: message, error_type: status === 422 ? 'validation' : 'generation' }),
  };
}

export const tgiStream: Dialect = tgi('/generate_stream', true);
export const tgiGenerate: Dialect = tgi('/generate', false);

class TgiWriter implements AnswerWriter {
  readonly #facts: AnswerFacts;
  #text = '';

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  opening(): string {
    return '';
  }

  token({ text, count, from }: TokenEvent): string {
    this.#text += text;
    const last = from + count >= this.#facts.tokens;
    return sse({
      index: from + count,
      token: { id: from, text, logprob: -0.5, special: false },
      generated_text: last ? this.#text : null,
      details: last ? this.#details() : null,
    });
  }

  closing(): string {
    return '';
  }

  whole(text: string): string {
    return JSON.stringify({ generated_text: text, details: this.#details() });
  }

  #details(): object {
    const { finish, tokens, promptTokens } = this.#facts;
    return {
      finish_reason: finish === 'length' ? 'length' : 'eos_token',
      generated_tokens: tokens,
      input_length: promptTokens,
    };
  }
}
