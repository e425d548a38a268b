import * as z from 'zod';
import { stallCause } from './judged.ts';

const ms = z.number();
const count = z.number().int().nonnegative();
const confidence = z.enum(['high', 'medium', 'low']);

const address = z.string().meta({ description: 'Address and port of the server, as the tap saw it.' });

const observedStall = z.object({
  gapMs: ms,
  cause: stallCause,
  confidence,
  networkMs: ms.meta({ description: 'Of the gap: what loss, order or a closed window took.' }),
  serverMs: ms.meta({ description: 'Of the gap: what is left.' }),
  evidence: z.string(),
});

/** One answer of somebody else's request. No content, no sizes, and not who asked. */
export const capturedExchangeFields = {
  address,
  serverName: z.string().nullable().meta({ description: 'As the client asked for it in TLS (SNI).' }),
  shape: z.enum(['stream', 'whole', 'unanswered']),
  ttftMs: ms.nullable().meta({ description: 'To the first chunk of a streamed answer; null: none, or not seen.' }),
  ttftAt: z.enum(['client', 'tap']).meta({
    description: 'client: with the round trip between client and tap; tap: without, since it is not known.',
  }),
  split: z
    .object({ networkMs: ms, serverMs: ms, plusMinusMs: ms.nullable() })
    .nullable()
    .meta({ description: 'Who took the time to the first chunk; null: not known.' }),
  totalMs: ms.nullable().meta({ description: 'From the request to the last octet; null: its beginning was not seen.' }),
  chunks: count,
  gaps: z.object({ count, medianMs: ms, p90Ms: ms, p99Ms: ms, maxMs: ms }).nullable(),
  stallAboveMs: ms.nullable().meta({ description: 'Gaps above this were looked at as stalls.' }),
  stalls: z.array(observedStall).meta({ description: 'The longest ones.' }),
  stallsNotListed: count,
  overlapped: z.boolean().meta({ description: 'Other requests ran on the connection: times are of all together.' }),
  confidence,
};

const observedTrip = z
  .object({ lowestMs: ms, meanMs: ms, highestMs: ms, samples: count })
  .nullable()
  .meta({ description: 'Round trips from the tap to that end and back; null: nothing could be timed.' });

const way = z
  .object({
    dataPackets: count,
    lostBeforeTap: count.meta({ description: 'Sent again, and the tap never saw the first copy.' }),
    lostBehindTap: count.meta({ description: 'Sent again, and the first copy had passed the tap.' }),
    needless: count.meta({ description: 'Sent again although the receiver had them.' }),
    reordered: count,
    captureLosses: count.meta({ description: 'Acknowledged, and never seen by the tap: lost by the capture.' }),
    marked: count.meta({ description: 'Packets that the network marked (ECN CE).' }),
  })
  .meta({ description: 'Packets with data of one direction.' });

/** What one TCP connection tells of the path. */
export const capturedConnectionFields = {
  address,
  durationMs: ms,
  fromStart: z.boolean().meta({ description: 'The handshake was seen.' }),
  bothWays: z.boolean().meta({ description: 'Packets of both directions were seen.' }),
  toServer: observedTrip,
  toClient: observedTrip,
  up: way,
  down: way,
  clientWindow: z
    .object({ closed: count, closedMs: ms, filled: count })
    .meta({ description: 'How often and how long the client took no more, and how often its window was filled.' }),
};

/** How far a capture can be trusted as a whole. */
export const capturedQualityFields = {
  files: z.array(z.string()),
  packets: count,
  recordedDrops: count.meta({ description: 'Packets that the capture itself says it lost.' }),
  duplicates: count,
  problems: z.array(z.string()).meta({ description: 'Why a file was not read to its end.' }),
};
