/**
 * Many independent seeded streams in one typed array (sfc32 by Chris Doty-Humphrey, public domain: passes PractRand, three
 * additions and a rotation per draw). A link direction owns one stream per purpose, so that adding jitter to a link does not
 * change which packets it loses.
 */
export interface Streams {
  state: Uint32Array;
}

const WORDS = 4;
const WARM_UP_DRAWS = 15;
const TWO_POW_32 = 4294967296;

/** `count` streams; the same seed gives the same streams, a stream does not depend on how many there are. */
export function makeStreams(seed: number, count: number): Streams {
  const streams = { state: new Uint32Array(count * WORDS) };
  for (let stream = 0; stream < count; stream += 1) {
    streams.state.set([seed, stream, 0x9e3779b9, 1], stream * WORDS);
    for (let draw = 0; draw < WARM_UP_DRAWS; draw += 1) uniform(streams, stream);
  }
  return streams;
}

/** Uniform in [0, 1), 32 bits. */
export function uniform(streams: Streams, stream: number): number {
  const state = streams.state;
  const at = stream * WORDS;
  const a = state[at]! | 0;
  const b = state[at + 1]! | 0;
  const c = state[at + 2]! | 0;
  const counter = state[at + 3]! | 0;
  const result = (((a + b) | 0) + counter) | 0;
  state[at] = b ^ (b >>> 9);
  state[at + 1] = (c + (c << 3)) | 0;
  state[at + 2] = (((c << 21) | (c >>> 11)) + result) | 0;
  state[at + 3] = (counter + 1) | 0;
  return (result >>> 0) / TWO_POW_32;
}
