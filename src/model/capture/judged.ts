import * as z from 'zod';
import { exchange, exchangeStall } from './exchange.ts';

const ms = z.number();
const confidence = z.enum(['high', 'medium', 'low']);

export const stallCause = z
  .enum(['server', 'loss', 'reordering', 'delay', 'receiver-window', 'nagle', 'buffering', 'capture-loss', 'unknown'])
  .meta({
    description:
      'server: nothing was in flight and nothing stood in the way, so the model server, or what is behind it, sent nothing; loss: packets were lost and sent again; reordering: packets were overtaken; delay: the network held packets back, by the server’s own clock; receiver-window: the client took no more; nagle: a small packet waited for a delayed acknowledgement; buffering: something held chunks back and let them go at once; capture-loss: the capture lacks what would tell.',
  });
export type StallCause = z.infer<typeof stallCause>;

/** Whether what happened to packets on the way held the stream up. */
export const isOfNetwork = (cause: StallCause) => cause === 'loss' || cause === 'reordering' || cause === 'delay';

const judgedStall = exchangeStall.extend({
  cause: stallCause,
  confidence,
  networkMs: ms.meta({ description: 'Of the gap: what loss, order or a closed window took.' }),
  serverMs: ms.meta({ description: 'Of the gap: what is left.' }),
  evidence: z.string(),
});
export type JudgedStall = z.infer<typeof judgedStall>;

const firstChunk = z
  .object({
    atTapMs: ms.meta({ description: 'From the end of the request to the first chunk, as the tap saw them.' }),
    atClientMs: ms.nullable().meta({
      description: 'The same as the client saw it: with the round trip between tap and client; null: not known.',
    }),
    networkMs: ms.nullable().meta({ description: 'Round trips on both sides of the tap, and the repair of losses.' }),
    serverMs: ms.nullable().meta({ description: 'The rest: server and model.' }),
    plusMinusMs: ms
      .nullable()
      .meta({ description: 'How far the two shares may be off, by the spread of the round trips.' }),
    cause: z.enum(['server', 'network', 'unknown']).meta({ description: 'Which share is the larger one.' }),
    evidence: z.string(),
  })
  .meta({ description: 'Time to first token, and who took it.' });
export type FirstChunk = z.infer<typeof firstChunk>;

export const judgedExchange = exchange
  .extend({
    stalls: z.array(judgedStall),
    firstChunk: firstChunk.nullable(),
    stalledMs: z
      .object({ network: ms, server: ms, unknown: ms })
      .meta({ description: 'Sum over the stalls that are listed, by who took the time.' }),
  })
  .meta({
    title: 'One exchange with its causes',
    description: 'A request and its answer, with what TCP tells of the time to first token and of each stall.',
  });
export type JudgedExchange = z.infer<typeof judgedExchange>;
