import * as z from 'zod';

const ms = z.number();
const count = z.number().int().nonnegative();

/** A silence inside an answer. Its cause is judged elsewhere, from what TCP did meanwhile. */
export const exchangeStall = z.strictObject({
  startMs: ms.meta({ description: 'When the chunk before it could be read.' }),
  endMs: ms.meta({ description: 'When the chunk behind it could be read: all octets up to its end had come.' }),
  wireMs: ms.meta({
    description: 'When the octets of that chunk themselves passed: earlier than endMs where they waited behind a hole.',
  }),
  gapMs: ms,
  afterChunk: count.meta({ description: 'How many chunks of the answer stood before it.' }),
  streamOffset: count.meta({ description: 'Where the chunk behind it begins in the stream of the server, octets.' }),
  chunksAtOnce: count.meta({
    description: 'How many chunks came right behind it, within a millisecond of each other: what had been held back.',
  }),
  acrossCaptureGap: z.boolean().meta({
    description: 'Whether the capture lacks octets of the answer there: chunks may have passed unseen.',
  }),
});
export type ExchangeStall = z.infer<typeof exchangeStall>;

/** What the hellos of TLS say in the clear. */
export const exchangeTls = z.strictObject({
  version: z.string().nullable(),
  serverName: z.string().nullable().meta({ description: 'SNI as the client sent it, made printable.' }),
  alpn: z
    .string()
    .nullable()
    .meta({ description: 'Null where TLS 1.3 hides the choice and the client offered several.' }),
  suite: z.string().nullable(),
  group: z
    .string()
    .nullable()
    .meta({ description: 'Key exchange; null in TLS 1.2 and where the hello was not captured.' }),
});
export type ExchangeTls = z.infer<typeof exchangeTls>;

/** What plain HTTP says besides times. No headers, no query, no content. */
export const exchangeHttp = z.strictObject({
  method: z.string().nullable(),
  path: z.string().nullable().meta({ description: 'Without query, made printable.' }),
  status: z.number().int().nullable(),
  streaming: z.enum(['sse', 'ndjson', 'none']),
});

export type ExchangeHttp = z.infer<typeof exchangeHttp>;

export const exchange = z
  .strictObject({
    kind: z.enum(['tls', 'http2-tls', 'http1', 'http2']),
    shape: z.enum(['stream', 'whole', 'unanswered']).meta({
      description: 'stream: chunks at several moments; whole: one burst or bulk, which has no cadence.',
    }),
    requestStartMs: ms.nullable().meta({ description: 'Null where the capture began in the middle of the answer.' }),
    requestEndMs: ms.nullable().meta({ description: 'Last octets of the request before the answer.' }),
    requestEndOffset: count.nullable().meta({
      description: 'Where those octets end in the stream of the client; null where the request was not captured.',
    }),
    requestBytes: count,
    requests: count.meta({
      description: 'More than 1 where requests overlap and cannot be told apart; then at least so many.',
    }),
    firstByteMs: ms.nullable().meta({
      description: 'First octets of the answer: end of TTFB. Null where several requests waited for it.',
    }),
    firstChunkMs: ms.nullable().meta({
      description:
        'First chunk that is neither head nor keep-alive: end of TTFT. Of a whole answer, its first octets. Null where it cannot be told whose it is.',
    }),
    firstChunkOtherwiseMs: ms.nullable().meta({
      description:
        'When the first chunk came as well, by what can be seen: behind an early head, or in one record with it. Null: nothing speaks for another moment.',
    }),
    firstChunkWireMs: ms.nullable().meta({
      description: 'When the octets of the first chunk themselves passed: earlier where they waited behind a hole.',
    }),
    firstChunkOffset: count
      .nullable()
      .meta({ description: 'Where the octets that completed it begin in the stream of the server.' }),
    endMs: ms,
    answerBytes: count,
    chunks: count.meta({
      description: 'Pieces that came one by one; a chunk may carry several tokens, or a part of one.',
    }),
    heartbeats: count.meta({ description: 'Keep-alives that were left out.' }),
    paceMs: ms.nullable().meta({
      description:
        'Mean time between chunks by when they themselves passed, whatever waited behind holes. Null of fewer than two, and where requests overlap.',
    }),
    gaps: z
      .strictObject({ count, medianMs: ms, p90Ms: ms, p99Ms: ms, maxMs: ms })
      .nullable()
      .meta({ description: 'Between chunks; null where there is no cadence, and where requests overlap.' }),
    stallAboveMs: ms.nullable().meta({ description: 'A gap above this is a stall: max(3 × median, 60 ms).' }),
    stalls: z.array(exchangeStall),
    stallsNotListed: count.meta({ description: 'Shorter ones beyond those that are listed.' }),
    overlapped: z.boolean(),
    confidence: z.enum(['high', 'medium', 'low']),
    how: z.array(z.string()),
    tls: exchangeTls.nullable(),
    http: exchangeHttp.nullable(),
  })
  .meta({
    title: 'capture exchange',
    description: 'One request and its answer, as a capture shows them. Times are ms since the first packet.',
  });
export type Exchange = z.infer<typeof exchange>;
