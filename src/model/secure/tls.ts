import * as z from 'zod';
import { finding } from '../finding.ts';
import { tlsSurvey } from './tls-survey.ts';

/** What somebody gets who offers post-quantum groups: the five answers. */
export const tlsVerdict = z
  .object({
    kind: z.enum(['pq-default', 'pq-by-retry', 'pq-possible-not-chosen', 'classical', 'unknown']).meta({
      description:
        'pq-default: clients that send a share get it at once; pq-by-retry: at the price of one round trip; pq-possible-not-chosen: the server has a group and takes a classical one; classical: it has none; unknown: with the reason.',
    }),
    reason: z.string().meta({ description: 'One sentence with what was seen.' }),
    group: z.string().nullable().meta({ description: 'What a client like a browser of today gets.' }),
    extraRoundTrips: z.number().int().nullable(),
    by: z.array(z.string()).meta({ description: 'Ids of the probes behind it.' }),
  })
  .meta({ description: 'Whether the key exchange withstands a quantum computer.' });
export type TlsVerdict = z.infer<typeof tlsVerdict>;

export const pathCheck = z.object({
  id: z.enum([
    'small',
    'small-split',
    'large',
    'large-split-1',
    'large-split-200',
    'large-split-half',
    'large-split-1200',
    'retry',
    'unknown-share',
    'pq-code-points',
    'tls12-offer',
  ]),
  about: z.string(),
  result: z.enum(['ok', 'fails', 'unknown', 'not-asked']),
  how: z.string().meta({ description: 'What was seen.' }),
  by: z.string().nullable(),
});
export type PathCheck = z.infer<typeof pathCheck>;

export const pathDiagnosis = z
  .object({
    kind: z.enum([
      'clean',
      'first-read-only',
      'large-reassembly',
      'large-hello',
      'pq-code-points',
      'retry',
      'unknown-share',
      'tls12-offer',
      'mixed',
      'unknown',
    ]),
    text: z.string(),
    place: z.string().meta({ description: 'Who is at fault, as far as it can be told from here.' }),
  })
  .meta({ description: 'What would break for clients that switch post-quantum groups on.' });
export type PathDiagnosis = z.infer<typeof pathDiagnosis>;

export const tlsCost = z.object({
  about: z.string(),
  now: z.number().nullable(),
  with: z.number().nullable(),
  unit: z.string(),
  how: z.enum(['measured', 'computed']),
});
export type TlsCost = z.infer<typeof tlsCost>;

export const gate = z.object({
  id: z.string(),
  text: z.string(),
  status: z.enum(['pass', 'fail', 'not-yet', 'unknown']).meta({
    description: 'not-yet: is not kept, and has to be only from the date on. unknown is never a pass.',
  }),
  evidence: z.string(),
  by: z.array(z.string()).meta({ description: 'Ids of the probes behind it.' }),
  requiredFrom: z.string().nullable().meta({ description: 'First day on which it has to be kept; null: always.' }),
  source: z.string().meta({ description: 'Where the requirement and its date stand.' }),
});
export type TlsGate = z.infer<typeof gate>;

const yearsRange = z.tuple([z.number(), z.number()]);

export const harvestExposure = z
  .object({
    dataClass: z.string(),
    secrecyYears: z.number(),
    migrationYears: z.number(),
    crqcYears: yearsRange.meta({
      description: 'Years until a quantum computer that breaks today’s key exchange: your range.',
    }),
    exposedYears: yearsRange.nullable().meta({ description: 'Null where it is unknown which key exchange is used.' }),
    formula: z.string(),
    status: z.enum(['exposed', 'depends', 'safe', 'protected', 'unknown']).meta({
      description:
        'exposed: even by the latest date; depends: by the earliest and not by the latest; safe: by neither; protected: the key exchange is post-quantum for those who offer it.',
    }),
  })
  .meta({
    description: 'Harvest now, decrypt later: how long what is sent today is readable while it should be secret.',
  });
export type HarvestExposure = z.infer<typeof harvestExposure>;

export const tlsEndpointReport = z.object({
  name: z.string(),
  survey: tlsSurvey,
  verdict: tlsVerdict,
  path: z.object({ checks: z.array(pathCheck), diagnosis: pathDiagnosis }),
  costs: z.array(tlsCost),
  gates: z.array(gate),
  exposure: z.array(harvestExposure),
});
export type TlsEndpointReport = z.infer<typeof tlsEndpointReport>;

export const secureTlsReport = z
  .object({
    schema: z.literal('inferpath/secure-tls@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    vantage: z.string().meta({ description: 'From where it was measured; the next hop may look different.' }),
    profile: z.object({ id: z.string(), title: z.string(), asOf: z.string(), note: z.string() }),
    endpoints: z.array(tlsEndpointReport),
    findings: z.array(finding),
    interrupted: z.boolean(),
  })
  .meta({
    title: 'inferpath secure tls --json',
    description: 'The TLS of endpoints, and whether it withstands a quantum computer.',
  });
export type SecureTlsReport = z.infer<typeof secureTlsReport>;
