import * as z from 'zod';

const ms = (description: string) => z.number().nullable().meta({ description });

/**
 * Round trips of which only the sums are known: what mtr, `ping -q` and `fping -s` print. Whatever the source does not say is
 * null; nothing is worked out from the rest, because a median cannot be had from a mean.
 */
export const roundTripFigures = z
  .object({
    sent: z.number().int().nullable().meta({ description: 'Probes sent.' }),
    received: z.number().int().nullable().meta({ description: 'Probes answered.' }),
    minMs: ms('Shortest round trip, ms.'),
    medianMs: ms('Median round trip, ms.'),
    meanMs: ms('Mean round trip, ms.'),
    maxMs: ms('Longest round trip, ms.'),
    stddevMs: ms('Standard deviation of the round trips, ms.'),
  })
  .meta({ description: 'Round trips summed up; null is what the source does not say.' });
export type RoundTripFigures = z.infer<typeof roundTripFigures>;

/** What an aggregated measurement says besides the header that all observations share. */
export const roundTripsFields = {
  address: z.string(),
  method: z.enum(['icmp', 'udp', 'tcp', 'unknown']).meta({ description: 'Kind of probe; unknown when unsaid.' }),
  figures: roundTripFigures,
};

/** One answer, or its absence, of one probe to one hop. */
export const hopReply = z.object({
  address: z.string().nullable().meta({ description: 'Null: no answer.' }),
  rttMs: z.number().nullable(),
  note: z.string().optional().meta({ description: 'What the source marks it with, e.g. "!H", "open".' }),
});
