import type { Random } from '../../wire/io.ts';

/**
 * Words of plain English prose. Common words are one token each in every tokenizer in use, together with the space before
 * them, so that a text of them has about one token per word and four to five bytes per token.
 */
const WORDS: readonly string[] =
  'the and for with that this from they have been were said each which their time will about many then them write would like into has look two more see number way could people than first water call who now find long down day did get come made may part over new sound take only little work know place year live back give most very after thing our just name good sentence man think say great where help through much before line right too mean old any same tell boy follow came want show also around form three small set put end does another well large must big even such because turn here why ask went men read need land home move try kind hand picture again change off play air away animal house point page letter mother answer found study still learn should world'.split(
    ' ',
  );

const BYTES_PER_TOKEN = 4;
const WORDS_PER_SENTENCE = 14;
const MAX_TOKENS = 4_000_000;

/**
 * A prompt of about `tokens` tokens (4 bytes each): the nonce first, so that no prefix cache on the way can answer from an
 * earlier request, then a task, then filler of everyday words. The same nonce and random source give the same text.
 * @param tokens Wanted size in tokens; below about 20 only nonce and task remain.
 * @param nonce Unique per request.
 */
export function makePrompt(tokens: number, nonce: string, random: Pick<Random, 'next'>): string {
  const wantedBytes = Math.min(MAX_TOKENS, Math.max(0, Math.floor(tokens))) * BYTES_PER_TOKEN;
  let text = `${nonce}: continue this text at length.`;
  const pieces: string[] = [];
  let bytes = Buffer.byteLength(text);
  for (let count = 0; bytes < wantedBytes; count++) {
    const word = WORDS[Math.min(WORDS.length - 1, Math.floor(random.next() * WORDS.length))]!;
    const piece = count % WORDS_PER_SENTENCE === WORDS_PER_SENTENCE - 1 ? ` ${word}.` : ` ${word}`;
    pieces.push(piece);
    bytes += piece.length;
  }
  text += pieces.join('');
  return text;
}
