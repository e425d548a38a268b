import * as z from 'zod';

const count = z.number().int().min(0);
const ms = z.number().min(0);

const roundTrips = z.object({ samples: count, minMs: ms, p50Ms: ms, p90Ms: ms });

/** What one flow of QUIC shows (RFC 9312). */
export const quicFlow = z
  .object({
    versions: z.array(z.string()).meta({ description: 'Versions of long headers, newest last, like 0x00000001.' }),
    connectionIdBytes: z
      .object({ client: count.nullable(), server: count.nullable() })
      .meta({ description: 'Length of the connection ids that each end chose; null: no long header told.' }),
    packets: z
      .object({
        initial: count,
        zeroRtt: count,
        handshake: count,
        retry: count,
        versionNegotiation: count,
        otherVersion: count,
        short: count,
      })
      .meta({ description: 'Packets by kind; several of them may share a datagram.' }),
    spin: z
      .discriminatedUnion('kind', [
        z.object({
          kind: z.literal('spins'),
          client: roundTrips.meta({
            description: 'The whole round trip, on packets of the client; of the server, where only those were seen.',
          }),
          server: roundTrips
            .nullable()
            .meta({ description: 'The same, on packets of the server, where both ends were seen.' }),
          beyondTap: z
            .object({ toServerMinMs: ms.nullable(), toClientMinMs: ms.nullable() })
            .meta({ description: 'Shortest way from the place of the capture to that end and back.' }),
        }),
        z.object({ kind: z.literal('does-not-spin'), why: z.string() }),
      ])
      .meta({ description: 'Round trips by the spin bit, where it really spins.' }),
    gaps: z
      .object({ clientP50Ms: ms.nullable(), serverP50Ms: ms.nullable(), serverP99Ms: ms.nullable() })
      .meta({ description: 'Time between datagrams of one direction.' }),
    lost: z.null().meta({ description: 'Unknown always: packet numbers are encrypted (RFC 9001 section 5.4).' }),
    how: z.array(z.string()),
  })
  .meta({ description: 'A QUIC connection, as far as it can be seen from outside.' });
export type QuicReport = z.infer<typeof quicFlow>;
