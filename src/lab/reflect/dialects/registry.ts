import { anthropic } from './anthropic.ts';
import type { Dialect } from './dialect.ts';
import { ollamaChat, ollamaGenerate } from './ollama.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { tgiGenerate, tgiStream } from './tgi.ts';

/** Every dialect that the reflector speaks. A new one is one file beside this and one entry here. */
export const dialects: readonly Dialect[] = [
  openaiChat,
  openaiResponses,
  anthropic,
  ollamaChat,
  ollamaGenerate,
  tgiStream,
  tgiGenerate,
];
