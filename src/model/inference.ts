import * as z from 'zod';
import { outcome, phaseName } from './outcome.ts';
import { boundsMs } from './units.ts';

/** The wire formats of inference APIs that inferpath speaks. */
export const dialectName = z.enum(['openai-chat', 'openai-responses', 'anthropic', 'ollama', 'tgi', 'gemini']);
export type DialectName = z.infer<typeof dialectName>;

export const evidenceGrade = z.enum(['server-reported', 'kernel', 'handshake', 'none']).meta({
  description:
    'What the split rests on, strongest first: times the server itself reported; kernel stamps and TCP_INFO of this very connection; the handshake round trip only; nothing.',
});
export type EvidenceGrade = z.infer<typeof evidenceGrade>;

const ms = z.number();
const maybeMs = z.number().nullable();

/** How much of an interval was the network, the server and this client. low + high ends are complementary. */
export const split = z
  .object({
    networkMs: boundsMs.meta({ description: 'Time on the network, DNS and connection set-up included: [low, high].' }),
    serverMs: boundsMs.meta({
      description: 'Time from request fully read to token handed to the server kernel: [low, high].',
    }),
    clientMs: ms.meta({ description: 'Time this client spent itself (scheduling, TLS computation, turnarounds).' }),
    undeterminedMs: ms.meta({ description: 'Width of the bounds: what could be network or server.' }),
    evidence: evidenceGrade,
    why: z.string().meta({ description: 'One sentence: why the bounds are as they are.' }),
  })
  .meta({
    description:
      'Who spent the time. networkMs[0] + serverMs[1] + clientMs is the whole interval, and so is networkMs[1] + serverMs[0] + clientMs.',
  });
export type Split = z.infer<typeof split>;

export const stallCause = z.enum(['network', 'server', 'client', 'undetermined']);
export type StallCause = z.infer<typeof stallCause>;

/** A token gap longer than the workload class allows. */
export const stall = z.object({
  afterToken: z.number().int().meta({ description: 'Number of token events received before the gap.' }),
  durationMs: ms,
  cause: stallCause,
  evidence: z
    .array(z.string())
    .meta({ description: 'What the cause rests on: retransmission, out-of-order, server stamps, own lag …' }),
});
export type Stall = z.infer<typeof stall>;

/** The Linux TCP_INFO fields that inferpath uses, of one connection at one moment. Times in ms (source: tcp(7), include/uapi/linux/tcp.h). */
export const tcpInfo = z.object({
  atMs: ms.meta({ description: 'When it was read, in ms from the request start.' }),
  phase: z.string().meta({ description: 'Phase edge at which it was read.' }),
  rttMs: ms,
  rttVarMs: ms,
  minRttMs: maybeMs,
  totalRetrans: z.number().int(),
  lost: z.number().int(),
  sndCwnd: z.number().int(),
  sndMssBytes: z.number().int(),
  rcvMssBytes: z.number().int(),
  pmtuBytes: z.number().int(),
  bytesAcked: z.number().int().nullable(),
  bytesReceived: z.number().int().nullable(),
  bytesRetrans: z.number().int().nullable(),
  notSentBytes: z.number().int().nullable(),
  busyMs: maybeMs,
  rwndLimitedMs: maybeMs,
  sndbufLimitedMs: maybeMs,
  rcvOooPack: z.number().int().nullable(),
  dsackDups: z.number().int().nullable(),
  totalRto: z.number().int().nullable(),
});
export type TcpInfoRow = z.infer<typeof tcpInfo>;

export const phases = z
  .object({
    scheduleLagMs: ms.meta({ description: 'Actual start − intended start (open-loop schedule).' }),
    dnsMs: maybeMs,
    tcpMs: maybeMs.meta({ description: 'SYN to SYN-ACK; null on a reused connection.' }),
    proxyMs: maybeMs.meta({ description: 'CONNECT to the proxy, when one was given.' }),
    tlsMs: maybeMs,
    uploadMs: maybeMs.meta({ description: 'First request byte sent to last request byte acknowledged.' }),
    waitMs: maybeMs.meta({ description: 'Last request byte sent to first response byte.' }),
    ttfbMs: maybeMs.meta({ description: 'Start to first response byte.' }),
    ttfeMs: maybeMs.meta({ description: 'Start to first stream event.' }),
    ttftMs: maybeMs.meta({ description: 'Start to first token of any kind (reasoning and tool calls included).' }),
    ttftVisibleMs: maybeMs.meta({ description: 'Start to first visible token.' }),
    streamMs: maybeMs.meta({ description: 'First token to last token.' }),
    totalMs: maybeMs.meta({ description: 'Start to last token.' }),
    eofMs: maybeMs.meta({ description: 'Start to the end of the response.' }),
  })
  .meta({ description: 'Milliseconds; start is the moment the first packet of the request had to be sent.' });
export type Phases = z.infer<typeof phases>;

export const certificateSummary = z.object({
  subject: z.string(),
  issuer: z.string(),
  validTo: z.string(),
  daysLeft: z.number(),
  keyType: z.string(),
  chainLength: z.number().int(),
  chainBytes: z.number().int(),
});
export type CertificateSummary = z.infer<typeof certificateSummary>;

export const tlsSummary = z.object({
  version: z.string(),
  cipher: z.string(),
  group: z.string().nullable(),
  alpn: z.string().nullable(),
  resumed: z.boolean(),
  authorized: z.boolean(),
  authorizationError: z.string().nullable(),
  certificate: certificateSummary.nullable(),
});
export type TlsSummary = z.infer<typeof tlsSummary>;

export const serverReported = z
  .object({
    source: z
      .string()
      .meta({ description: 'Field or header that said so, e.g. "vllm metrics", "openai-processing-ms".' }),
    covers: z.enum(['ttft', 'total', 'headers']).meta({
      description: 'Which interval the value covers: to first token, to last token, or only until headers were sent.',
    }),
    by: z
      .enum(['server', 'front-proxy'])
      .meta({ description: 'Who measured: a front proxy cannot speak for the leg behind it.' }),
    valueMs: ms,
    resolutionMs: ms.meta({ description: 'Coarseness of the reported value.' }),
    floor: z
      .boolean()
      .optional()
      .meta({ description: 'True when the value leaves waiting (a queue) out: the real time is at least this.' }),
  })
  .meta({ description: 'One duration that the server or a proxy in front of it reported.' });
export type ServerReported = z.infer<typeof serverReported>;

/** One inference request, taken apart. */
export const inferenceRequest = z
  .object({
    id: z.string().meta({ description: 'The x-request-id that was sent; joins any server log.' }),
    startedAt: z.string().meta({ description: 'Wall-clock start, ISO 8601.' }),
    endpoint: z.string(),
    address: z.string().nullable().meta({ description: 'Peer address and port of the TCP connection.' }),
    dialect: dialectName.nullable(),
    model: z.string().nullable(),
    httpVersion: z.string().nullable(),
    status: z.number().int().nullable(),
    reused: z.boolean().meta({ description: 'True when an existing connection carried the request.' }),
    sharedConnection: z
      .boolean()
      .meta({ description: 'True when other HTTP/2 streams shared the connection and its TCP_INFO.' }),
    connectionId: z.number().int().meta({ description: 'Requests with the same number used the same connection.' }),
    outcome,
    phases,
    split: z.object({
      ttft: split.nullable(),
      total: split.nullable(),
      phases: z.partialRecord(phaseName, split).meta({ description: 'The same split for each phase that happened.' }),
    }),
    stalls: z.array(stall),
    stallThresholdMs: ms.nullable(),
    tokens: z.object({
      prompt: z.number().int().nullable(),
      cachedPrompt: z.number().int().nullable(),
      output: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'From the usage fields of the server; never re-tokenised.' }),
      reasoning: z.number().int().nullable(),
      events: z.number().int().meta({ description: 'Token-carrying events received.' }),
    }),
    tpotMs: maybeMs.meta({
      description: 'Stream time per output token after the first: streamMs / (output − tokens in the first event).',
    }),
    gaps: z.array(z.number()).meta({ description: 'Milliseconds between arrivals of consecutive token events.' }),
    eventsPerRead: z.number().meta({ description: 'Mean token events per socket read; far above 1 means coalescing.' }),
    stamps: z.enum(['kernel', 'user']).meta({ description: 'Where arrival times come from.' }),
    upload: z.object({
      bytes: z.number().int(),
      rounds: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'Slow-start rounds that a body of this size needs from the initial window.' }),
    }),
    receivedBytes: z.number().int(),
    tcp: z.object({
      handshakeRttMs: maybeMs,
      requestRttMs: maybeMs.meta({ description: 'Last request byte sent to its acknowledgement, by kernel stamps.' }),
      minRttMs: maybeMs,
      pdvMs: maybeMs.meta({
        description:
          'Highest one-way delay above the lowest of the segments received (RFC 5481 PDV), by the TCP timestamps of the peer.',
      }),
      retransmits: z.number().int().nullable(),
      outOfOrder: z.number().int().nullable(),
      info: z.array(tcpInfo),
    }),
    tls: tlsSummary.nullable(),
    server: z.object({
      reported: z.array(serverReported),
      terminator: z.array(z.string()).meta({ description: 'Hints at who terminates TCP: via, cf-ray, server …' }),
      requestId: z.string().nullable().meta({ description: 'Request id that the server returned.' }),
      rateLimit: z.record(z.string(), z.string()),
    }),
    client: z.object({
      eventLoopLagMs: ms.meta({ description: 'Longest stall of our own event loop during the request.' }),
      processingMs: ms.meta({ description: 'Longest wait of received bytes before our parser saw them.' }),
    }),
    notes: z.array(z.string()),
  })
  .meta({ description: 'One inference request, taken apart.' });
export type InferenceRequest = z.infer<typeof inferenceRequest>;
