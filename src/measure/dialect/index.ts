import type { DialectName } from '../../model/inference.ts';
import { anthropic } from './anthropic.ts';
import type { Dialect } from './dialect.ts';
import { gemini } from './gemini.ts';
import { ollama } from './ollama.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { tgi } from './tgi.ts';

/** The wire formats of inference APIs: one door for the rest of the house. */
export type { BuiltRequest, Dialect } from './dialect.ts';
export { makePrompt } from './prompt.ts';
export { rateLimitHeaders, reportedFromHeaders, requestIdFrom, terminatorHints } from './server-times.ts';

/** Every dialect; the first one is what an unknown endpoint most likely speaks. */
export const dialects: readonly Dialect[] = [openaiChat, openaiResponses, anthropic, ollama, tgi, gemini];

const BY_NAME: ReadonlyMap<DialectName, Dialect> = new Map(dialects.map((dialect) => [dialect.name, dialect]));

/** @throws RangeError for a name that is not a dialect (the schema lets none through). */
export function dialectByName(name: DialectName): Dialect {
  const dialect = BY_NAME.get(name);
  if (dialect === undefined) throw new RangeError(`No dialect is called "${name}"`);
  return dialect;
}

/** Weight of the content type of a stream: more than a port, less than a path. Plain JSON is an error in any dialect. */
const CONTENT_TYPE_WEIGHT = 0.5;

/**
 * The dialect that an endpoint most likely speaks, by its URL and, once known, the content type of its answer. Always
 * answers: where nothing speaks for any, OpenAI chat completions, which most servers offer.
 */
export function guessDialect(url: URL, contentType?: string): Dialect {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  let best = dialects[0]!;
  let bestScore = -1;
  for (const dialect of dialects) {
    const served = type !== undefined && dialect.contentTypes[0] === type;
    const score = dialect.recognises(url) + (served ? CONTENT_TYPE_WEIGHT : 0);
    if (score > bestScore) {
      best = dialect;
      bestScore = score;
    }
  }
  return best;
}
