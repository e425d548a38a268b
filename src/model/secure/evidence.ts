import * as z from 'zod';

/** What the inventory reads of other reports: only these keys, so that an older or newer report is still good. */
export const secureEvidence = z.discriminatedUnion('schema', [
  z.object({
    schema: z.literal('inferpath/secure-tls@1'),
    startedAt: z.string(),
    endpoints: z.array(
      z.object({
        name: z.string(),
        verdict: z.object({ kind: z.string(), group: z.string().nullish(), reason: z.string() }),
      }),
    ),
  }),
  z.object({
    schema: z.literal('inferpath/secure-exposure@1'),
    startedAt: z.string(),
    vantage: z.string(),
    services: z.array(
      z.object({
        address: z.string(),
        port: z.number(),
        engine: z.string().nullable(),
        transport: z.string(),
        auth: z.enum(['none', 'partial', 'enforced', 'unknown']),
      }),
    ),
  }),
  z.object({
    schema: z.literal('inferpath/policy-proof@1'),
    host: z.string().nullable(),
    verdict: z.enum(['proved', 'refuted', 'not-proved', 'proved-in-part']),
    texts: z.array(z.object({ from: z.string() })),
  }),
  z.object({
    schema: z.literal('inferpath/policy-drift@1'),
    measuredAt: z.string(),
    seenBy: z.string(),
    denials: z.array(z.unknown()),
    listeners: z.array(z.object({ permittedBy: z.array(z.string()) })),
  }),
]);
export type SecureEvidence = z.infer<typeof secureEvidence>;
