import * as z from 'zod';
import type { Look } from '../../secure/anomaly/look.ts';
import { withPort } from '../../stats/address.ts';
import type { Io } from '../../wire/io.ts';
import { readJsonInputs } from '../input-file.ts';

// Only what the rules read, so that documents of older and newer versions are looks, too.
const port = z.number().int().min(0).max(65_535);
const drift = z.object({
  schema: z.literal('inferpath/policy-drift@1'),
  measuredAt: z.iso.datetime(),
  snapshot: z.object({
    samples: z.number().int().min(0),
    listeners: z.array(z.object({ protocol: z.string(), address: z.string(), port, certain: z.boolean() })),
    flows: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        protocol: z.string(),
        port,
        direction: z.enum(['in', 'out', 'through']),
        seen: z.number().min(0),
        bytesOut: z.number().min(0).optional(),
        bytesIn: z.number().min(0).optional(),
      }),
    ),
  }),
});
const tls = z.object({
  schema: z.literal('inferpath/secure-tls@1'),
  startedAt: z.iso.datetime(),
  endpoints: z.array(
    z.object({
      name: z.string(),
      verdict: z.object({ kind: z.string(), group: z.string().nullable() }),
      survey: z.object({
        chains: z.array(
          z.object({ certificates: z.array(z.object({ notAfter: z.string(), keySha256: z.string().optional() })) }),
        ),
      }),
    }),
  ),
});
const access = z.object({
  schema: z.literal('inferpath/secure-exposure@1'),
  startedAt: z.iso.datetime(),
  services: z.array(
    z.object({
      address: z.string(),
      port,
      engine: z.string().nullable(),
      auth: z.enum(['none', 'partial', 'enforced', 'unknown']),
      checks: z.array(z.object({ path: z.string(), answer: z.string() })),
    }),
  ),
});
const input = {
  schema: z.discriminatedUnion('schema', [drift, tls, access]),
  maxBytes: 256 * 1024 * 1024,
  allowed: 'what secure policy drift, secure tls or secure exposure print with --json',
};
type Document = z.infer<typeof input.schema>;

/**
 * Saved documents as looks, one for each file.
 * @throws UsageError naming each file and what is wrong with it
 */
export async function readLooks(files: readonly string[], io: Io): Promise<Look[]> {
  const read = await readJsonInputs(files, input, io);
  return read.map((one, i) => lookOf(files[i]!, one));
}

function lookOf(name: string, read: Document): Look {
  const none = { name, samples: 0, connections: null, tls: null, access: null };
  switch (read.schema) {
    case 'inferpath/policy-drift@1': {
      const { samples, flows, listeners } = read.snapshot;
      return { ...none, atMs: Date.parse(read.measuredAt), samples, connections: { flows, listeners } };
    }
    case 'inferpath/secure-tls@1':
      return { ...none, atMs: Date.parse(read.startedAt), tls: read.endpoints.map(tlsOf) };
    case 'inferpath/secure-exposure@1':
      return {
        ...none,
        atMs: Date.parse(read.startedAt),
        access: read.services.flatMap(({ address, port: at, engine, auth, checks }) =>
          engine === null
            ? []
            : {
                server: withPort(address, at),
                engine,
                authentication: auth,
                openPaths: checks.filter(({ answer }) => answer === 'open').map(({ path }) => path),
              },
        ),
      };
    default:
      return read satisfies never;
  }
}

const postQuantum = new Set(['pq-default', 'pq-by-retry']);

function tlsOf({ name, verdict, survey }: z.infer<typeof tls>['endpoints'][number]): NonNullable<Look['tls']>[number] {
  const leaf = survey.chains[0]?.certificates[0];
  return {
    endpoint: name,
    verdict: verdict.kind,
    group: verdict.group,
    isPostQuantum: verdict.kind === 'unknown' ? null : postQuantum.has(verdict.kind),
    keySha256: leaf?.keySha256 ?? null,
    notAfter: leaf?.notAfter ?? null,
  };
}
