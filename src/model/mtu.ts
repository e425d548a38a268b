import * as z from 'zod';

/** One size that was tried, and what became of its packets. */
export const sizeTally = z.object({
  sizeBytes: z.number().int().meta({ description: 'Octets of the whole IP packet.' }),
  sent: z.number().int(),
  acked: z.number().int().meta({ description: 'Answered by the target: the size fits.' }),
  tooBig: z.number().int().meta({ description: 'Refused by a valid ICMP "packet too big".' }),
  silent: z.number().int().meta({ description: 'Without any answer.' }),
  by: z.string().nullable().meta({ description: 'Who said "too big" last; null when nobody did.' }),
  saidMtuBytes: z.number().int().nullable().meta({ description: 'The MTU in that message.' }),
});

export const mtuVerdict = z.enum(['no-limit', 'icmp-confirmed', 'black-hole', 'limited', 'unknown']).meta({
  description:
    'no-limit: the largest size that could be tried fits; icmp-confirmed: a router names the limit, and probing agrees; ' +
    'black-hole: larger packets vanish and nobody says so; limited: larger packets do not arrive, and whether their sender is ' +
    'told cannot be seen from here; unknown: see `why`.',
});
export type MtuVerdict = z.infer<typeof mtuVerdict>;

export const mtuHop = z.object({
  afterTtl: z.number().int().meta({ description: 'Last hop that large packets reach; 0 is this host.' }),
  afterAddress: z.string().nullable(),
  beforeTtl: z.number().int().meta({ description: 'First hop beyond that answers small packets and no large ones.' }),
  beforeAddress: z.string().nullable(),
  confidence: z.enum(['low', 'medium', 'high']),
  why: z.string().meta({ description: 'What the place and the confidence rest on.' }),
});
export type MtuHop = z.infer<typeof mtuHop>;

/** What was found out about one direction. */
export const mtuDirection = z.object({
  verdict: mtuVerdict,
  why: z.string().meta({ description: 'The evidence for the verdict, or what is missing, in a sentence.' }),
  confirmedBytes: z.number().int().nullable().meta({
    description: 'Largest packet that arrived; null when none did. Where the verdict is known: the path MTU.',
  }),
  refutedBytes: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'Smallest larger packet that does not fit; null where all sizes tried fit.' }),
  by: z.string().nullable().meta({ description: 'Who said "packet too big"; null when nobody did.' }),
  saidMtuBytes: z.number().int().nullable().meta({ description: 'Next-hop MTU in that message.' }),
  chanceOfLoss: z.number().nullable().meta({
    description: 'Chance that mere packet loss explains the silence at `refutedBytes`; null where there is none.',
  }),
  hop: mtuHop.nullable().meta({ description: 'Between which hops the limit lies; null where it was not found.' }),
});
export type MtuDirection = z.infer<typeof mtuDirection>;

export const tcpSizes = z.object({
  port: z.number().int(),
  packetBytes: z.number().int().meta({ description: 'Largest IP packet that TCP sends on this connection.' }),
  mssBytes: z
    .number()
    .int()
    .meta({ description: 'The MSS behind it: packet less IP and TCP header, options included.' }),
  advertisedMssBytes: z.number().int().meta({ description: 'MSS that this host announced.' }),
  kernelMtuBytes: z.number().int().meta({ description: 'Path MTU that the kernel reckoned with before the probing.' }),
  limitedBy: z.enum(['interface', 'kernel', 'peer']).meta({
    description:
      'Whose limit it is: the own interface; what the kernel knows of the path; or the MSS in the SYN-ACK, as the peer sent ' +
      'it or as something on the way lowered it.',
  }),
  fits: z
    .boolean()
    .nullable()
    .meta({ description: 'Whether such packets fit the path; null where that is not known.' }),
});
export type TcpSizes = z.infer<typeof tcpSizes>;

/** What an `mtu` observation says beyond the header of all. */
export const mtuFields = {
  address: z.string(),
  family: z.union([z.literal(4), z.literal(6)]),
  method: z.enum(['icmp', 'udp', 'stamp', 'tcp']),
  interfaceName: z.string().nullable().meta({ description: 'Interface by which packets leave this host.' }),
  interfaceMtuBytes: z.number().int().nullable(),
  maxBytes: z.number().int().meta({ description: 'Largest size that was to be tried.' }),
  forward: mtuDirection.meta({ description: 'From here to the target.' }),
  reverse: mtuDirection.nullable().meta({ description: 'From the target to here; needs our reflector there.' }),
  tcp: tcpSizes.nullable().meta({ description: 'Segment sizes of a TCP connection; null when there was none.' }),
  ladder: z.array(sizeTally).meta({ description: 'Sizes tried, largest first.' }),
  reverseLadder: z.array(sizeTally).meta({ description: 'The same for the way back; empty without our reflector.' }),
  probes: z.number().int(),
  lossShare: z.number().nullable().meta({ description: 'Loss of packets whose size fits; null when none was sent.' }),
  notes: z.array(z.string()),
};
