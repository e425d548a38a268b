import * as z from 'zod';
import { finding } from '../finding.ts';

export const engineName = z.enum([
  'ollama',
  'vllm',
  'sglang',
  'tgi',
  'triton',
  'llama.cpp',
  'ray',
  'open-webui',
  'lm-studio',
  'kserve',
  'mlflow',
  'jupyter',
]);
export type EngineName = z.infer<typeof engineName>;

export const authState = z.enum(['none', 'partial', 'enforced', 'unknown']).meta({
  description:
    'none: everything that was asked answers anyone; partial: some paths answer anyone, others do not; enforced: no path that was asked answers; unknown: the answers do not tell.',
});
export type AuthState = z.infer<typeof authState>;

const asked = z
  .object({
    method: z.enum(['GET', 'POST']),
    path: z.string(),
    status: z.number().int().nullable().meta({ description: 'HTTP status; null: no answer.' }),
    says: z.string().meta({ description: 'What was concluded from it, or why there was no answer.' }),
  })
  .meta({ description: 'One request and what came of it.' });
export type Asked = z.infer<typeof asked>;

const check = z
  .object({
    path: z.string(),
    answer: z.enum(['open', 'closed', 'absent', 'unclear']).meta({
      description:
        'open: it answers without a key; closed: 401 or 403; absent: there is no such path; unclear: anything else.',
    }),
    means: z.string().meta({ description: 'What the path gives to whoever may use it.' }),
  })
  .meta({ description: 'One path of the oracle of an engine.' });
export type Check = z.infer<typeof check>;

export const exposedService = z
  .object({
    address: z.string(),
    port: z.number().int(),
    host: z.string().meta({ description: 'Name by which it was asked; the address where none was given.' }),
    transport: z
      .enum(['http', 'https', 'tcp'])
      .meta({ description: 'tcp: it accepts connections and speaks no HTTP.' }),
    certificateTrusted: z.boolean().nullable().meta({ description: 'Of https: whether this machine trusts it.' }),
    engine: engineName.nullable(),
    identity: z.enum(['confirmed', 'likely', 'unknown']).meta({
      description: 'confirmed: at least two independent signals; likely: one.',
    }),
    version: z.string().nullable(),
    signals: z.array(z.string()),
    auth: authState,
    why: z.string().meta({ description: 'What the verdict on authentication rests on.' }),
    checks: z.array(check),
    publicByDesign: z.array(z.string()).meta({
      description:
        'Paths that answer anyone although a key is set, by design of the engine; they say nothing about it.',
    }),
    asked: z.array(asked),
    atMs: z.number().meta({ description: 'Wall clock of the first request, ms since the epoch.' }),
  })
  .meta({ description: 'One port that accepted a connection.' });
export type ExposedService = z.infer<typeof exposedService>;

const listener = z
  .object({
    address: z.string(),
    port: z.number().int(),
    protocol: z.string(),
    reach: z.enum(['loopback', 'address', 'everywhere']).meta({
      description: 'By the address that it is bound to: only this machine, one address of it, or all of them.',
    }),
    usedBy: z
      .string()
      .nullable()
      .meta({ description: 'What usually stands at this port; the port alone proves nothing.' }),
  })
  .meta({ description: 'A socket of this machine that waits for connections.' });
export type OwnListener = z.infer<typeof listener>;

export const exposureReport = z
  .object({
    schema: z.literal('inferpath/secure-exposure@1'),
    vantage: z.string().meta({ description: 'From where it was asked; another place may be let through elsewhere.' }),
    startedAt: z.iso.datetime(),
    durationMs: z.number(),
    complete: z.boolean().meta({ description: 'False when the run was interrupted.' }),
    asked: z.array(
      z.object({
        range: z.string(),
        addresses: z.number().int(),
        permittedBy: z.string().meta({ description: 'Why it may be asked.' }),
      }),
    ),
    notAsked: z.array(z.object({ range: z.string(), why: z.string() })),
    ports: z.array(z.number().int()),
    counts: z.object({
      addresses: z.number().int(),
      connections: z.number().int(),
      requests: z.number().int(),
      open: z.number().int(),
      refused: z.number().int(),
      silent: z.number().int().meta({ description: 'No answer in time: says neither open nor closed.' }),
    }),
    services: z.array(exposedService),
    listeners: z.array(listener).nullable().meta({ description: 'With --local; null: not looked at.' }),
    findings: z.array(finding),
  })
  .meta({
    title: 'inferpath secure exposure --json',
    description: 'Inference servers that were found, and whether they answer anyone.',
  });
export type ExposureReport = z.infer<typeof exposureReport>;
