import * as z from 'zod';
import { outcome } from '../outcome.ts';

/** What a server had said before the end of a conversation. */
const said = z
  .object({
    version: z.string().nullable().meta({ description: 'Version that was agreed, e.g. "TLS 1.3".' }),
    suite: z.string().nullable(),
    group: z.string().nullable().meta({ description: 'Group that was agreed, or that a HelloRetryRequest asks for.' }),
    viaRetry: z.boolean().meta({ description: 'A HelloRetryRequest came first: one more round trip.' }),
    alpn: z.string().nullable(),
    downgrade: z.string().nullable().meta({ description: 'What the server says in its random that it could do.' }),
  })
  .meta({ description: 'What the server had said.' });
export type TlsSaid = z.infer<typeof said>;

const before = z
  .enum(['nothing', 'retry', 'hello'])
  .meta({ description: 'How far the server had come: nothing, a HelloRetryRequest, a ServerHello.' });

/** How one conversation ended: a closed union. Only an alert is an answer of somebody who speaks TLS; silence never is one. */
export const tlsReply = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('complete'), said }).meta({
      description: 'The server said all it had to, and it fits: up to Finished, or ServerHelloDone before TLS 1.3.',
    }),
    z.object({ kind: z.literal('hello'), said }).meta({ description: 'A ServerHello, and we stopped there.' }),
    z.object({ kind: z.literal('retry'), said }).meta({ description: 'A HelloRetryRequest, and we stopped there.' }),
    z.object({ kind: z.literal('alert'), code: z.number().int(), name: z.string(), after: before, said }),
    z.object({ kind: z.literal('reset'), after: before, said }).meta({ description: 'The connection was reset.' }),
    z.object({ kind: z.literal('closed'), after: before, said }).meta({ description: 'The connection was closed.' }),
    z.object({ kind: z.literal('timedOut'), afterMs: z.number(), after: before, said }),
    z.object({ kind: z.literal('malformed'), why: z.string(), after: before, said }).meta({
      description: 'Octets that are no TLS, or do not fit the handshake.',
    }),
    z.object({ kind: z.literal('unreached'), outcome }).meta({ description: 'There was no connection to speak over.' }),
    z.object({ kind: z.literal('interrupted') }).meta({ description: 'The user stopped the run.' }),
  ])
  .meta({ description: 'How one conversation ended.' });
export type TlsReply = z.infer<typeof tlsReply>;

/** One connection of the survey. */
export const tlsProbeRow = z.object({
  id: z.string().meta({ description: 'What was asked, e.g. "split-large-half"; the same in every run.' }),
  about: z.string(),
  at: z.string(),
  sentBytes: z.number().int().meta({ description: 'Octets of the first ClientHello with its record header.' }),
  pieces: z.array(z.number().int()).meta({ description: 'Octets of each write; one piece unless it was split.' }),
  segments: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'TCP segments it takes at least, by the MSS of the path.' }),
  receivedBytes: z.number().int(),
  durationMs: z.number().nullable().meta({ description: 'From the first octet sent to the end.' }),
  connectRttMs: z.number().nullable(),
  reply: tlsReply,
});
export type TlsProbeRow = z.infer<typeof tlsProbeRow>;

export const support = z.enum(['yes', 'no', 'unknown']).meta({
  description: 'no only where the server said so; a reset or silence is unknown.',
});
export type Support = z.infer<typeof support>;

export const groupKind = z.enum(['classical', 'hybrid', 'pure', 'draft']);

export const tlsGroup = z.object({
  name: z.string(),
  codePoint: z.string(),
  kind: groupKind.meta({
    description: 'draft: a code point of before the standard, which is not counted as post-quantum.',
  }),
  support,
  rank: z.number().int().nullable().meta({ description: 'Place in the order in which the server chose; 1 is first.' }),
  by: z.string().nullable().meta({ description: 'Id of the probe that shows it.' }),
});
export type TlsGroup = z.infer<typeof tlsGroup>;

const certificateFacts = z.object({
  subject: z.string(),
  issuer: z.string(),
  names: z.array(z.string()).meta({ description: 'Up to 20 DNS names.' }),
  notBefore: z.string(),
  notAfter: z.string(),
  key: z.string(),
  keyBits: z.number().int().nullable(),
  keyResistance: z.enum(['post-quantum', 'classical', 'unknown']),
  signature: z.string(),
  signatureResistance: z.enum(['post-quantum', 'classical', 'unknown']),
  isSelfIssued: z.boolean(),
  isAuthority: z.boolean(),
  bytes: z.number().int(),
  sha256: z.string(),
  keySha256: z.string().meta({ description: 'Of the public key (SPKI): the same as long as the key is.' }),
});
export type TlsCertificateFacts = z.infer<typeof certificateFacts>;

export const tlsChain = z.object({
  certificates: z.array(certificateFacts),
  unreadable: z.array(z.string()).meta({ description: 'Certificates that could not be read, and why.' }),
  messageBytes: z.number().int().meta({ description: 'Octets of the whole Certificate message.' }),
  scheme: z.string().nullable().meta({ description: 'What the server signed the handshake with.' }),
  isSignatureValid: z.boolean().nullable().meta({
    description: 'Whether the server showed that it holds the key; null where that could not be checked.',
  }),
  by: z.string(),
});
export type TlsChain = z.infer<typeof tlsChain>;

const ttl = z.number().int().min(0).nullable();

export const tlsLocation = z
  .object({
    form: z.string().meta({ description: 'Id of the probe whose ClientHello was followed.' }),
    kind: z.enum(['between', 'at-the-server', 'unknown']).meta({
      description:
        'between: it dies between two hops; at-the-server: all routers still get it, so it is the server or what stands directly before it; unknown: why says the reason.',
    }),
    afterTtl: ttl.meta({ description: 'The last hop that still gets it; 0 is this host.' }),
    afterAddress: z.string().nullable(),
    beforeTtl: ttl.meta({ description: 'The first hop that does not.' }),
    beforeAddress: z.string().nullable(),
    confidence: z.enum(['high', 'medium', 'low']).nullable(),
    why: z.string(),
    how: z.string(),
    connections: z.number().int().meta({ description: 'Connections that it took, SYNs that found the hops included.' }),
    hops: z.array(z.object({ ttl: z.number().int(), address: z.string().nullable() })).meta({
      description: 'Routers on the way; null: it says nothing.',
    }),
  })
  .meta({ description: 'Where on the way a ClientHello dies that does not arrive.' });
export type TlsLocation = z.infer<typeof tlsLocation>;

/** Everything that was measured at one endpoint. */
export const tlsSurvey = z.object({
  endpoint: z.string(),
  address: z.string().nullable().meta({ description: 'The one address that was asked; null when there is none.' }),
  serverName: z.string().nullable(),
  starttls: z.enum(['smtp', 'imap', 'postgres']).nullable(),
  startedAt: z.string(),
  durationMs: z.number(),
  mssBytes: z.number().int().nullable(),
  probes: z.array(tlsProbeRow),
  versions: z.array(z.object({ version: z.string(), support, by: z.string().nullable() })),
  groups: z.array(tlsGroup),
  preference: z.enum(['server', 'client', 'only-one', 'unknown']).meta({ description: 'Whose order decides.' }),
  signatures: z.array(
    z.object({ family: z.string(), support, scheme: z.string().nullable(), by: z.string().nullable() }),
  ),
  chains: z.array(tlsChain).meta({ description: 'Each different chain that was served.' }),
  asksClientCertificate: z.boolean().nullable(),
  location: tlsLocation.nullable().meta({ description: 'Null where nothing dies on the way, or nobody asked where.' }),
  interrupted: z.boolean(),
});
export type TlsSurvey = z.infer<typeof tlsSurvey>;
