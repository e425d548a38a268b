/** What a streamed API makes of a token. */
export interface ApiRow {
  name: string;
  /** Application bytes of one streamed event, median. */
  eventBytes: number;
  tokensPerEvent: number;
  /** Bytes of the request for each prompt token. */
  bytesPerPromptToken: number;
  source: string;
}

const recorded = 'recorded responses in the test cassettes of openllmetry (761, 2023 to 2026), median of an event';
/** English text is 3.7 to 5.0 B per token; recorded requests have 1.8 to 5.2 B. The upper end plans safely. */
const bytesPerPromptToken = 5.2;

function api(name: string, eventBytes: number, tokensPerEvent: number, more = ''): ApiRow {
  return { name, eventBytes, tokensPerEvent, bytesPerPromptToken, source: `${recorded}${more}` };
}

const padded = '; padded by the `obfuscation` field, which is on by default';

export const apis: readonly ApiRow[] = [
  api('openai-chat', 297, 1, padded),
  api('openai-chat-plain', 245, 1, '; include_obfuscation: false'),
  api('openai-responses', 359, 1, '; with all framing events per token'),
  api('azure-openai', 635, 1, padded),
  api('azure-openai-plain', 461, 1, '; without padding'),
  api('anthropic', 138, 4.8),
  api('vllm', 237, 1, '; upper end of 205 to 237 of servers of this kind'),
  api('tgi', 237, 1, '; taken as vllm, for want of recordings'),
  api('mistral', 223, 1.01),
  api('groq', 266, 1),
  api('deepseek', 277, 1),
  api('gemini', 297, 1, '; taken as openai-chat, for want of recordings: a cautious figure'),
  api('ollama', 123, 1.02),
  api('ollama-generate', 93, 1.02),
];
